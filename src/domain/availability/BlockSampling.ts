import { numberOfColumns } from "../network/Chain.ts"
import type { PeerId } from "../Primitives.ts"
import { type Assignment, type Candidate, chooseWitnesses, type Witness } from "./ChooseWitnesses.ts"
import { columnsToLookAt, decide, type Decision } from "./Decide.ts"
import { type Answer, type ColumnState, columnStateOf, leastPeers } from "./Evidence.ts"
import type { SampleStage } from "./SampleCount.ts"

export interface BlockSamplingOptions {
  /** All columns in the order in which they are sampled (`orderColumns`). */
  readonly order: ReadonlyArray<number>
  /** See `sampleStages`. */
  readonly stages: ReadonlyArray<SampleStage>
  /** Unix milliseconds from which on a question that is answered without a column counts: columns may come late. */
  readonly settledAt: number
  /** Milliseconds after which a column is asked of somebody else too, while who was asked for it is silent. */
  readonly patienceMs: number
  readonly draw: () => number
}

/** What one peer's answer to one question came to. */
interface Heard {
  /** Columns that it was asked for in the end; of the others nothing is said. */
  readonly asked: ReadonlyArray<number>
  /** Columns that came and verified. */
  readonly present: ReadonlyArray<number>
  /** Columns that it says, or that a whole answer shows, it does not have. */
  readonly absent: ReadonlyArray<number>
  /** Whether it says that its head has reached the block's slot. */
  readonly hasReached: boolean
}

/** The sampling of one block, without time and network: whom to ask next, and what follows from what was answered. */
export interface BlockSampling {
  /**
   * Whom to ask now, at most `most` of the connected peers whose claim covers the slot; they count as asked until `hear`. A
   * peer that is being asked is not asked again meanwhile. Nothing where nobody is left to ask, or all columns wanted are
   * there.
   */
  readonly next: (candidates: ReadonlyArray<Candidate>, now: number, most: number) => ReadonlyArray<Assignment>
  /** What a question came to that was asked at `askedAt`; `undefined` for no answer. */
  readonly hear: (assignment: Assignment, askedAt: number, heard: Heard | undefined) => void
  /** A peer delivered a column of the block to somebody else of this monitor, verified: it need not be asked for. */
  readonly know: (witness: Witness, column: number) => void
  readonly decide: (isOver: boolean, trouble?: string) => Decision
  /** The columns that anyone was to be asked for, by what is known of them; each ascending. */
  readonly columns: () => Readonly<Record<ColumnState, ReadonlyArray<number>>>
  /** Who answered, each once. */
  readonly answeredBy: () => ReadonlyArray<Witness>
}

/** A block that nobody was asked about yet. */
export const makeBlockSampling = (options: BlockSamplingOptions): BlockSampling => {
  const { draw, order, patienceMs, settledAt, stages } = options
  const columns = new Map<number, Column>()
  const inFlight = new Set<PeerId>()
  const load = new Map<PeerId, number>()
  const knowers = new Set<PeerId>()

  const columnAt = (column: number): Column => {
    const known = columns.get(column) ?? {
      column,
      answers: new Map(),
      owedBy: [],
      asking: new Map(),
      askedAt: new Map()
    }
    columns.set(column, known)
    return known
  }
  const sampled = (trouble?: string) => ({ order, stages, evidence: columns, trouble })

  /** Asked for the second time only when an answer counts at last, and the first one did not. */
  const isSpent = (column: Column, peerId: PeerId, now: number): boolean => {
    const at = column.askedAt.get(peerId)
    if (at === undefined) return false
    return now < settledAt || at >= settledAt
  }
  const wantedOf = (looked: ReadonlyArray<number>, now: number, atOnce: number) =>
    looked.flatMap((column) => {
      const known = columnAt(column)
      const fresh = [...known.asking.values()].filter(({ since }) => now - since < patienceMs).length
      if (fresh >= atOnce || known.asking.size >= mostAtOnce || columnStateOf(known) !== "open") return []
      // Whoever has not got it yet may have it later: there is time to ask others then.
      if (now < settledAt && known.answers.size >= leastPeers) return []
      const spent = known.owedBy.filter(({ peerId }) => isSpent(known, peerId, now))
      return [{ column, askedOf: [...spent, ...Array.from(known.asking.values(), ({ witness }) => witness)] }]
    })

  return {
    next: (candidates, now, most) => {
      const owing = byColumn(candidates)
      for (const known of columns.values()) known.owedBy = owing[known.column] ?? []
      const count = columnsToLookAt(sampled())
      const isWide = count === numberOfColumns
      const looked = order.slice(0, count)
      for (const column of looked) columnAt(column).owedBy = owing[column] ?? []
      const chosen = new Map<PeerId, { readonly witness: Witness; readonly columns: Array<number> }>()
      const free = candidates.filter(({ peerId }) => !inFlight.has(peerId))
      for (let atOnce = 1; atOnce <= (isWide && now >= settledAt ? leastPeers : 1); atOnce++) {
        const limits = { draw, mostLoad: isWide ? 2 * numberOfColumns : mostOfOnePeer }
        const wanted = wantedOf(looked, now, atOnce).slice(0, Math.max(0, most - chosen.size))
        for (const { columns, witness } of chooseWitnesses(wanted, free, load, limits)) {
          const before = chosen.get(witness.peerId) ?? { witness, columns: [] }
          before.columns.push(...columns)
          chosen.set(witness.peerId, before)
          load.set(witness.peerId, (load.get(witness.peerId) ?? 0) + columns.length)
          for (const column of columns) columnAt(column).asking.set(witness.peerId, { witness, since: now })
        }
      }
      for (const peerId of chosen.keys()) inFlight.add(peerId)
      return [...chosen.values()]
    },
    hear: ({ columns: given, witness }, askedAt, heard) => {
      inFlight.delete(witness.peerId)
      if (heard !== undefined && heard.present.length > 0) knowers.add(witness.peerId)
      const present = new Set(heard?.present)
      const absent = new Set(heard?.absent)
      // Whoever has a column of the block has the block.
      const hasReached = heard?.hasReached === true || knowers.has(witness.peerId)
      const asked = new Set(heard?.asked ?? given)
      for (const column of given) {
        const known = columnAt(column)
        known.asking.delete(witness.peerId)
        if (!asked.has(column)) {
          load.set(witness.peerId, (load.get(witness.peerId) ?? 0) - 1)
          continue
        }
        known.askedAt.set(witness.peerId, askedAt)
        const answer: Answer = present.has(column)
          ? "present"
          : !absent.has(column)
            ? "unanswered"
            : hasReached && askedAt >= settledAt
              ? "absent"
              : "early"
        known.answers.set(witness.peerId, { witness, answer })
      }
    },
    know: (witness, column) => {
      knowers.add(witness.peerId)
      columnAt(column).answers.set(witness.peerId, { witness, answer: "present" })
    },
    decide: (isOver, trouble) => decide(sampled(trouble), isOver),
    columns: () => {
      const lists: Record<ColumnState, Array<number>> = { present: [], absent: [], open: [] }
      for (const known of columns.values()) lists[columnStateOf(known)].push(known.column)
      for (const list of Object.values(lists)) list.sort((a, b) => a - b)
      return lists
    },
    answeredBy: () => {
      const witnesses = new Map<PeerId, Witness>()
      for (const { answers } of columns.values()) {
        for (const { answer, witness } of answers.values()) {
          if (answer !== "unanswered") witnesses.set(witness.peerId, witness)
        }
      }
      return [...witnesses.values()]
    }
  }
}

/** What is known of one column, and who is asked for it at this moment. */
interface Column {
  readonly column: number
  readonly answers: Map<PeerId, { readonly witness: Witness; readonly answer: Answer }>
  owedBy: ReadonlyArray<Witness>
  readonly asking: Map<PeerId, { readonly witness: Witness; readonly since: number }>
  /** When each peer was asked for it last. */
  readonly askedAt: Map<PeerId, number>
}

/** Who keeps each column. */
const byColumn = (candidates: ReadonlyArray<Candidate>): ReadonlyArray<ReadonlyArray<Witness>> => {
  const keepers = Array.from({ length: numberOfColumns }, () => new Array<Witness>())
  for (const candidate of candidates) for (const column of candidate.columns) keepers[column]?.push(candidate)
  return keepers
}

/** Peers that are asked for one column at once, however silent they are. */
const mostAtOnce = 4
/** Columns of one block that one peer is asked for while it is not known to be in trouble. */
const mostOfOnePeer = 8
