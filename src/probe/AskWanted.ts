import { Array as Arr, Effect, Option } from "effect"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
import type { ForkName } from "../domain/network/Chain.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import {
  describe,
  isTooYoung,
  type ProbeError,
  type RequestError,
  Suspected,
  Unverifiable
} from "../domain/probe/Outcome.ts"
import { askByRoot } from "./AskByRoot.ts"
import { type Blocks, type Collected, conversationOf, failAll, tookTooLong } from "./Conversation.ts"
import type { Line } from "./RequestColumns.ts"
import { isServerError } from "./Sample.ts"
import { type Finished, isPresentable } from "./VerifyDelivered.ts"

/** What a question for columns that someone wants brought, beside its outcomes. */
export interface Brought {
  /** Verified against the canonical block, and signed as it is. */
  readonly proven: ReadonlyArray<ProvenColumn>
  /** Columns that the peer left out of a whole answer, or said that it does not have; ascending. */
  readonly absent: ReadonlyArray<number>
}

/** A column that was verified, as it came. */
export interface ProvenColumn {
  /** What was canonical when it was verified, which need not be the block that someone had in mind. */
  readonly blockRoot: Root
  readonly column: number
  readonly fork: ForkName
  readonly ssz: Uint8Array
}

/**
 * The conversation about columns of one slot that someone wants now: by root, and nothing else. What is absent is
 * suspected, as it would be after any first conversation; of a slot that is still too young (`isYoung`) to be had by
 * everybody it is nobody's fault, and is not asked for again.
 */
export const askWanted = Effect.fn("Prober.askWanted")(function* (
  line: Line,
  blocks: Blocks,
  due: ReadonlyArray<SlotColumns>,
  isYoung: boolean
) {
  const { last, left, received } = yield* askByRoot(line, blocks, due)
  const { cut } = last
  const isDragged = Option.contains(cut, "time") && received.every(({ delivered }) => delivered.length === 0)
  const error = isDragged ? Option.some(tookTooLong) : last.error
  const isAnswered = received.some(({ delivered, error }) => delivered.length > 0 || Option.isNone(error))
  const isCut = Option.exists(error, (error) => conversationOf(error) !== "answered" && !isServerError(error))
  const collected: Collected = {
    received,
    failed: Option.isSome(cut) ? [] : failedOf(blocks, left, last.error, isYoung),
    findings: [],
    conversation:
      isAnswered && !isCut
        ? "answered"
        : Option.match(error, { onNone: () => "answered" as const, onSome: conversationOf }),
    error,
    cut
  }
  return collected
})

/** What a question brought, by what was judged of it and what came to nothing. */
export const broughtBy = (finished: ReadonlyArray<Finished>, failed: ReadonlyArray<Finished>): Brought => ({
  proven: finished
    .filter(isPresentable)
    .flatMap(({ block: { root }, column, delivery }) =>
      delivery === undefined
        ? []
        : [{ blockRoot: root, column, fork: delivery.sidecar.fork, ssz: delivery.sidecar.ssz }]
    ),
  absent: absentOf(failed)
})

/** Of what came to nothing, the columns that the peer does not have. */
const absentOf = (failed: ReadonlyArray<Finished>): ReadonlyArray<number> =>
  failed
    .filter(({ error }) => Option.exists(error, isAbsence))
    .map(({ column }) => column)
    .sort((a, b) => a - b)

const isAbsence = (error: ProbeError): boolean =>
  isTooYoung(error) ||
  (error._tag === "Suspected" && (error.suspicion === "missing" || error.suspicion === "unavailable"))

/** What the end of the answer says of what had not come by then. */
const failedOf = (
  blocks: Blocks,
  left: ReadonlyArray<SlotColumns>,
  error: Option.Option<RequestError>,
  isYoung: boolean
): ReadonlyArray<Finished> => {
  const absent = (suspicion: Suspected["suspicion"], detail: string) =>
    failAll(blocks, left, (slot) => (isYoung ? tooYoung(slot, detail) : new Suspected({ suspicion, detail })))
  if (Option.isNone(error)) return absent("missing", "left out of an answer by root")
  const detail = describe(error.value)
  switch (error.value._tag) {
    case "ColumnsUnavailable":
      return absent("unavailable", detail)
    case "MalformedResponse": {
      const first = Arr.head(left).pipe(Option.map(({ columns, slot }) => ({ slot, columns: columns.slice(0, 1) })))
      return failAll(blocks, Option.toArray(first), () => new Suspected({ suspicion: "malformed", detail }))
    }
    case "PeerRefused":
    case "ProbeTimeout":
    case "PeerDisconnected": {
      const { value } = error
      if (isServerError(value)) return absent("server_error", detail)
      return failAll(blocks, left, () => value).map((entry) => (isYoung ? entry : { ...entry, isBreak: true }))
    }
  }
}

const tooYoung = (slot: Slot, detail: string) =>
  new Unverifiable({ reason: "too_young", detail: `slot ${slot} is so new that not every peer has it yet: ${detail}` })
