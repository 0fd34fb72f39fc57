import { Array as Arr, Effect, Option } from "effect"
import type { ColumnRequest, SlotColumns } from "../domain/column/ColumnResponse.ts"
import type { Block } from "../domain/network/Block.ts"
import {
  describe,
  MissingColumn,
  type ProbeError,
  type RequestError,
  Suspected,
  type SuspicionKind
} from "../domain/probe/Outcome.ts"
import { isBroken, isConfirmedBy, type SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Host } from "../host/Host.ts"
import { columnsByRange, columnsByRoot } from "../wire/Requests.ts"
import { type Collected, conversationOf, failAll, undelivered } from "./Conversation.ts"
import type { Finished } from "./VerifyDelivered.ts"
import { type Network, type Received, requestColumns } from "./RequestColumns.ts"
import { isServerError } from "./Sample.ts"

/** What is suspected in one slot, and the block that it is asked for by. */
export interface Question {
  readonly block: Block
  readonly suspected: SuspectedSlot
}

/** What came of the question about one slot. */
export interface Asked extends Question {
  /** What kept it from being answered. */
  readonly error: Option.Option<RequestError>
}

export interface Confirmed extends Collected {
  /** Those that were put: a lost connection and a refusal end the conversation. */
  readonly asked: ReadonlyArray<Asked>
}

/**
 * The second conversation about what is suspected, one slot after the other: by root, and what that does not bring by
 * range as well, since clients keep what they serve by root and by range in different places. Only what both leave out,
 * refuse or garble is confirmed. A question that was not answered, or turned away, settles nothing.
 */
export const confirm = Effect.fn("Prober.confirm")(function* (
  host: Host["Type"],
  network: Network,
  peerId: string,
  questions: ReadonlyArray<Question>
) {
  const asked: Array<Asked> = []
  const received: Array<Received> = []
  const failed: Array<Finished> = []
  for (const question of questions) {
    const one = yield* confirmSlot(host, network, peerId, question)
    asked.push({ ...question, error: one.error })
    received.push(...one.received)
    failed.push(...one.failed)
    if (Option.exists(one.error, isUnsettling)) break
  }
  const error = Arr.findFirst(asked, ({ error }) => error)
  const isAnswered = received.some(({ delivered, error }) => delivered.length > 0 || !Option.exists(error, isNoAnswer))
  const confirmed: Confirmed = {
    asked,
    received,
    failed,
    findings: [],
    conversation: Option.match(error, {
      onNone: () => "answered" as const,
      onSome: (error) => (isAnswered ? "answered" : conversationOf(error))
    }),
    error
  }
  return confirmed
})

const confirmSlot = Effect.fnUntraced(function* (
  host: Host["Type"],
  network: Network,
  peerId: string,
  { block, suspected }: Question
) {
  const { slot } = block
  const columns = suspected.columns.map(({ column }) => column).sort((a, b) => a - b)
  const request: ColumnRequest = { _tag: "ByRoot", blocks: [{ slot, columns }] }
  const byRoot = yield* requestColumns(
    host,
    network,
    peerId,
    columnsByRoot([{ blockRoot: block.root, columns }]),
    request
  )
  const received = [byRoot]
  const [left] = undelivered(byRoot, [{ slot, columns }])
  if (left !== undefined && !Option.exists(byRoot.error, isUnsettling)) {
    const range = { startSlot: slot, count: 1, columns: left.columns }
    received.push(yield* requestColumns(host, network, peerId, columnsByRange(range), { _tag: "ByRange", ...range }))
  }
  const absent = received
    .slice(1)
    .reduce<ReadonlyArray<SlotColumns>>((due, next) => undelivered(next, due), left === undefined ? [] : [left])
  const failed = failAll(new Map([[slot, block]]), absent, (slot, column) =>
    confirmed(received, suspected, { slot, column, isFirst: column === absent[0]?.columns[0] })
  ).map((entry) => ({ ...entry, isBreak: true }))
  const error = Arr.findFirst(
    received.flatMap(({ error }) => Option.toArray(error)),
    isNoAnswer
  )
  return { received, failed, error }
})

/** Nothing more is said over this connection, or to us. */
const isUnsettling = (error: RequestError): boolean => isNoAnswer(error) && !isServerError(error)

const isNoAnswer = (error: RequestError): boolean => !isAnswer(error)

/** An error that says something of what was asked for, and not of the conversation. */
const isAnswer = (error: RequestError): boolean =>
  error._tag === "ColumnsUnavailable" || error._tag === "MalformedResponse"

interface Absent {
  readonly slot: number
  readonly column: number
  /** Whether it is the one that a chunk which cannot be read stands for. */
  readonly isFirst: boolean
}

/** What a combination comes to that neither request brought. */
const confirmed = (
  received: ReadonlyArray<Received>,
  suspected: SuspectedSlot,
  { column, isFirst, slot }: Absent
): ProbeError => {
  const before = suspected.columns.find((entry) => entry.column === column)
  const suspicion = before?.suspicion ?? "missing"
  const again = (kind: SuspicionKind, detail: string) =>
    new Suspected({
      suspicion: kind,
      detail,
      ...(before?.check === undefined || kind !== suspicion ? {} : { check: before.check })
    })
  const errors = received.flatMap(({ error }) => Option.toArray(error))
  const unsettled = errors.find(isNoAnswer)
  if (unsettled !== undefined) {
    // Nothing was ever said of it: that is no suspicion yet.
    if (suspicion === "unanswered") return unsettled
    return again(suspicion, `no answer to the last question: ${describe(unsettled)}`)
  }
  const unavailable = errors.find((error) => error._tag === "ColumnsUnavailable")
  const malformed = errors.find((error) => error._tag === "MalformedResponse")
  const now = malformed !== undefined ? "malformed" : unavailable !== undefined ? "unavailable" : "missing"
  // What broke at the peer the first time and is absent now is absent for the first time.
  if (isBroken(suspicion)) return again(now, "absent where the answer broke off before")
  if (malformed !== undefined && !isFirst) return again(suspicion, "not reached when it was asked for again")
  const error = malformed ?? unavailable ?? new MissingColumn({ slot, column, detail: "left out of two conversations" })
  return isConfirmedBy(before, now)
    ? error
    : again(now, `${describe(error)}; it was ${suspicion} before, and one of each may be two kinds of passing trouble`)
}
