import { Either, Option, Schema } from "effect"
import { numberOfColumns } from "../network/Chain.ts"
import type { Finding } from "../peer/Finding.ts"
import type { Slot } from "../Primitives.ts"
import { type Combinations, makeCombinations } from "./Combinations.ts"

/** Columns of one slot. */
export interface SlotColumns {
  readonly slot: Slot
  readonly columns: ReadonlyArray<number>
}

/** What was asked for: by range (then the response is ordered) or, by root, of single blocks (then it is not). */
export type ColumnRequest =
  | {
      readonly _tag: "ByRange"
      readonly startSlot: Slot
      readonly count: number
      readonly columns: ReadonlyArray<number>
    }
  | { readonly _tag: "ByRoot"; readonly blocks: ReadonlyArray<SlotColumns> }

/** More sidecars that nobody asked for, or asked for once, than any mistake explains: the response is over. */
export class TooManySidecars extends Schema.TaggedError<TooManySidecars>()("TooManySidecars", {
  requested: Schema.Int,
  surplus: Schema.Int
}) {
  override get message(): string {
    return `${this.requested} sidecars were requested, and ${this.surplus} came that were not, or came twice`
  }
}

/**
 * How far one response has come. It has one owner: `accept` changes it, since one that is copied for each sidecar costs more
 * than to read the sidecar.
 */
export interface ResponseState {
  readonly request: ColumnRequest
  /** Columns asked for, by slot; by range the slots all have the same set. */
  readonly wanted: (slot: number) => ReadonlySet<number>
  /** Sidecars that the request allows. */
  readonly requested: number
  /** Those kept. */
  readonly delivered: Combinations
  /** The last one kept. */
  last: Option.Option<SidecarPlace>
  /** Of the last slot of those kept; -1 before there are any. */
  lastSlot: Slot
  /** Sidecars that were not kept. */
  surplus: number
}

/** Where a sidecar says that it belongs. */
export interface SidecarPlace {
  readonly slot: Slot
  readonly index: number
}

export interface Accepted {
  readonly state: ResponseState
  /** Whether the sidecar is to be verified: it was asked for and is the first of its combination. */
  readonly kept: boolean
  /** Duplicate and unrequested sidecars are not kept, an unordered one is. */
  readonly finding: Option.Option<Finding>
}

/** What is absent from a response. */
export interface Absences {
  /** Left out where the response should have had it: to be confirmed by a second request. */
  readonly gaps: ReadonlyArray<SlotColumns>
  /** After the end of a response that stops early, which is legal: to be asked for again. */
  readonly truncated: ReadonlyArray<SlotColumns>
}

/** Sidecars beyond those requested and one repetition of each, before a response is cut off. */
export const surplusAllowance = 128

/** The state before the first sidecar. */
export const startResponse = (request: ColumnRequest): ResponseState => {
  const wanted = wantedColumns(request)
  return {
    request,
    wanted: wanted.of,
    requested: wanted.total,
    delivered: makeCombinations(),
    last: Option.none(),
    lastSlot: -1,
    surplus: 0
  }
}

/** Whether a sidecar would be kept: it was asked for, and has not come yet. */
export const isAwaited = (state: ResponseState, { index, slot }: SidecarPlace): boolean =>
  state.wanted(slot).has(index) && !state.delivered.has(slot, index)

/**
 * The next sidecar of the response. It was asked for or not, came before or not, and by range comes in ascending
 * (slot, column) order (DataColumnSidecarsByRange, fulu/p2p-interface.md); by root any order is right.
 */
export const accept = (state: ResponseState, place: SidecarPlace): Either.Either<Accepted, TooManySidecars> => {
  const { index, slot } = place
  if (!state.wanted(slot).has(index)) {
    return surplus(state, {
      kind: "unrequested_sidecar",
      detail: `column ${index} of slot ${slot} came, and was not asked for`
    })
  }
  if (!state.delivered.add(slot, index)) {
    return surplus(state, { kind: "duplicate_sidecar", detail: `column ${index} of slot ${slot} came more than once` })
  }
  const before = state.last
  state.last = Option.some(place)
  state.lastSlot = Math.max(state.lastSlot, slot)
  return Either.right({
    state,
    kept: true,
    finding: state.request._tag === "ByRoot" ? Option.none() : Option.flatMap(before, unorderedAfter(place))
  })
}

/**
 * What is due and did not come, when the response is at its end. `due` holds blocks that have blobs, and of them columns
 * that were asked for and that the peer must have.
 *
 * A peer must respond with the first block that it has, and with all columns of every block that it includes. So an
 * empty response is one gap. By range, whatever is due up to the last slot that came is a gap, and what is due later may
 * have been cut off. By root there is no order: of a block that came in part the rest is a gap, and a block that is
 * wholly absent may have been cut off.
 */
export const absences = (state: ResponseState, due: ReadonlyArray<SlotColumns>): Absences => {
  const absent = due
    .map(({ columns, slot }) => ({
      slot,
      columns: columns.filter((index) => !state.delivered.has(slot, index))
    }))
    .filter(({ columns }) => columns.length > 0)
  if (Option.isNone(state.last)) return { gaps: absent, truncated: [] }
  const isGap = ({ slot }: SlotColumns): boolean =>
    state.request._tag === "ByRange" ? slot <= state.lastSlot : state.delivered.hasSlot(slot)
  return { gaps: absent.filter(isGap), truncated: absent.filter((entry) => !isGap(entry)) }
}

const surplus = (state: ResponseState, finding: Finding): Either.Either<Accepted, TooManySidecars> => {
  state.surplus++
  return state.surplus > state.requested + surplusAllowance
    ? Either.left(new TooManySidecars({ requested: state.requested, surplus: state.surplus }))
    : Either.right({ state, kept: false, finding: Option.some(finding) })
}

const unorderedAfter =
  ({ index, slot }: SidecarPlace) =>
  (last: SidecarPlace): Option.Option<Finding> =>
    slot > last.slot || (slot === last.slot && index > last.index)
      ? Option.none()
      : Option.some({
          kind: "unordered_sidecar",
          detail: `column ${index} of slot ${slot} came after column ${last.index} of slot ${last.slot}`
        })

const nothing: ReadonlySet<number> = new Set()

const wantedColumns = (
  request: ColumnRequest
): { readonly of: (slot: number) => ReadonlySet<number>; readonly total: number } => {
  if (request._tag === "ByRange") {
    const { count, startSlot } = request
    const columns = columnSet(request.columns)
    return {
      of: (slot) => (slot >= startSlot && slot < startSlot + count ? columns : nothing),
      total: columns.size * count
    }
  }
  const slots = new Map<number, Set<number>>()
  for (const { columns, slot } of request.blocks) slots.set(slot, columnSet([...(slots.get(slot) ?? []), ...columns]))
  return {
    of: (slot) => slots.get(slot) ?? nothing,
    total: [...slots.values()].reduce((sum, columns) => sum + columns.size, 0)
  }
}

const columnSet = (columns: ReadonlyArray<number>): Set<number> =>
  new Set(columns.filter((index) => index >= 0 && index < numberOfColumns))
