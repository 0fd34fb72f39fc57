import { Array as Arr, Effect, Option } from "effect"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
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
import { columnsByRange } from "../wire/Requests.ts"
import { askByRoot } from "./AskByRoot.ts"
import { type Collected, conversationOf, failAll, tookTooLong, undelivered } from "./Conversation.ts"
import type { Finished } from "./VerifyDelivered.ts"
import { type Line, type Received, requestColumns } from "./RequestColumns.ts"
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
 * refuse or garble is confirmed. A question that was not answered, or turned away, settles nothing; nor does one that we had
 * to end ourselves.
 */
export const confirm = Effect.fn("Prober.confirm")(function* (line: Line, questions: ReadonlyArray<Question>) {
  const asked: Array<Asked> = []
  const received: Array<Received> = []
  const failed: Array<Finished> = []
  for (const question of questions) {
    const one = yield* confirmSlot(line, question)
    asked.push({ ...question, error: one.error })
    received.push(...one.received)
    failed.push(...one.failed)
    if (Option.exists(one.error, isUnsettling) || Option.isSome(one.cut)) break
  }
  const error = Arr.findFirst(asked, ({ error }) => error)
  const isAnswered = received.some(
    ({ cut, delivered, error }) => delivered.length > 0 || (Option.isNone(cut) && !Option.exists(error, isNoAnswer))
  )
  const confirmed: Confirmed = {
    asked,
    received,
    failed,
    findings: [],
    conversation: Option.match(error, {
      onNone: () => "answered" as const,
      onSome: (error) => (isAnswered ? "answered" : conversationOf(error))
    }),
    error,
    cut: Arr.findFirst(received, ({ cut }) => cut)
  }
  return confirmed
})

const confirmSlot = Effect.fnUntraced(function* (line: Line, { block, suspected }: Question) {
  const { slot } = block
  const blocks = new Map([[slot, block]])
  const columns = suspected.columns.map(({ column }) => column).sort((a, b) => a - b)
  const byRoot = yield* askByRoot(line, blocks, [{ slot, columns }])
  const received: Array<Received> = [...byRoot.received]
  const [left] = byRoot.left
  if (left !== undefined && Option.isNone(byRoot.last.cut) && !Option.exists(byRoot.last.error, isUnsettling)) {
    const range = { startSlot: slot, count: 1, columns: left.columns }
    const message = columnsByRange(range, line.sizes.byRange({ start: slot, end: slot }, range.columns.length))
    received.push(yield* requestColumns(line, message, { _tag: "ByRange", ...range }, [left]))
  }
  const cut = Arr.findFirst(received, ({ cut }) => cut)
  const absent = received
    .slice(byRoot.received.length)
    .reduce<ReadonlyArray<SlotColumns>>((due, next) => undelivered(next, due), left === undefined ? [] : [left])
  const failed = Option.isSome(cut)
    ? []
    : failAll(blocks, absent, (slot, column) =>
        confirmed(received, suspected, { slot, column, isFirst: column === absent[0]?.columns[0] })
      ).map((entry) => ({ ...entry, isBreak: true }))
  const error = Arr.findFirst(
    received.flatMap(({ error }) => Option.toArray(error)),
    isNoAnswer
  ).pipe(
    // Who drags the answer out has not given it.
    Option.orElse(() => (Option.contains(cut, "time") ? Option.some(tookTooLong) : Option.none()))
  )
  return { received, failed, error, cut }
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
