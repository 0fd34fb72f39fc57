import { columnsToReconstruct, numberOfColumns } from "../network/Chain.ts"
import type { PeerId } from "../Primitives.ts"

/** A connected peer that may be asked. */
export interface Source {
  readonly peerId: PeerId
  /** Columns of the block that it claims. */
  readonly claims: ReadonlySet<number>
  /** Who is asked first: the higher the sooner. */
  readonly rank: number
}

/** A question that may be put to a peer now. */
export interface Errand {
  readonly peerId: PeerId
  /** Ascending. */
  readonly columns: ReadonlyArray<number>
}

/** What has been found out of the columns of a block so far. */
export interface HuntState {
  /** Columns that are there. */
  readonly have: ReadonlySet<number>
  /** Columns that the peer need not be asked for: it is, or was, and they came, or it does not have them. */
  readonly settled: ReadonlyMap<PeerId, ReadonlySet<number>>
  /** Columns that are asked for at this moment. */
  readonly underWay: ReadonlySet<number>
  /** Those of them whose answer is late: others may be asked as well. */
  readonly late: ReadonlySet<number>
  /** Peers that are asked, or rest. */
  readonly busy: ReadonlySet<PeerId>
}

/**
 * Whom to ask for what now. No more is asked for than what is missing to 64 columns: of the columns 0 to 63, which are the
 * blobs themselves and need no recovery, as many as can be had, and others in their place. Whoever ranks higher is asked
 * first, for `most` columns at most, so that several share the work.
 */
export const nextErrands = (sources: ReadonlyArray<Source>, state: HuntState, most: number): ReadonlyArray<Errand> => {
  const open = new Set(wantedColumns(sources, state).filter((column) => !isAwaited(column, state)))
  const errands: Array<Errand> = []
  for (const { claims, peerId } of [...sources].sort((a, b) => b.rank - a.rank)) {
    if (state.busy.has(peerId)) continue
    const columns = [...open].filter((column) => mayGive(claims, peerId, column, state)).slice(0, most)
    if (columns.length === 0) continue
    for (const column of columns) open.delete(column)
    errands.push({ peerId, columns: columns.sort((a, b) => a - b) })
  }
  return errands
}

export const isEnough = ({ have }: HuntState): boolean => have.size >= columnsToReconstruct

/** Whether nobody is left who could be asked for what is missing, and no answer is awaited. */
export const isExhausted = (sources: ReadonlyArray<Source>, state: HuntState): boolean =>
  state.underWay.size === 0 && wantedColumns(sources, state).length === 0

/**
 * Columns that none of the sources may still give, where these do not suffice: what is there, and what they may give, is
 * not enough. None where it is. Ascending.
 */
export const lackingColumns = (sources: ReadonlyArray<Source>, state: HuntState): ReadonlyArray<number> => {
  const hoped = new Set([...state.have, ...wantedColumns(sources, state)])
  return hoped.size >= columnsToReconstruct ? [] : columnsWhere((column) => !hoped.has(column))
}

/** What is awaited, and then what is to be asked for; no more of it than is missing. */
const wantedColumns = (sources: ReadonlyArray<Source>, state: HuntState): ReadonlyArray<number> => {
  const missing = columnsWhere((column) => !state.have.has(column))
  const awaited = missing.filter((column) => isAwaited(column, state))
  const others = missing.filter(
    (column) =>
      !isAwaited(column, state) && sources.some(({ claims, peerId }) => mayGive(claims, peerId, column, state))
  )
  return [...awaited, ...others].slice(0, Math.max(0, columnsToReconstruct - state.have.size))
}

const isAwaited = (column: number, { late, underWay }: HuntState): boolean => underWay.has(column) && !late.has(column)

const mayGive = (claims: ReadonlySet<number>, peerId: PeerId, column: number, { settled }: HuntState): boolean =>
  claims.has(column) && settled.get(peerId)?.has(column) !== true

/** The columns of which this holds, ascending. */
export const columnsWhere = (holds: (column: number) => boolean): ReadonlyArray<number> =>
  Array.from({ length: numberOfColumns }, (_, column) => column).filter(holds)
