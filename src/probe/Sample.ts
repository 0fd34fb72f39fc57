import { Array as Arr, Effect, Option } from "effect"
import { absences, type SlotColumns } from "../domain/column/ColumnResponse.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import type { Job } from "../domain/probe/Job.ts"
import { describe, type RequestError, Suspected } from "../domain/probe/Outcome.ts"
import { columnsByRange } from "../wire/Requests.ts"
import { type AskedByRoot, askByRoot } from "./AskByRoot.ts"
import { type Blocks, type Collected, conversationOf, failAll, tookTooLong, undelivered } from "./Conversation.ts"
import type { Cut } from "./ProbeTurn.ts"
import { type Line, type Received, requestColumns } from "./RequestColumns.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** What was said in a probe that samples. */
export interface Sampled extends Collected {
  /**
   * What came of the question by root about what had just been left out by range: all of it came (`brought`), or the peer
   * reset the stream, was silent, or called it unsupported or too much (`escaped`). None where nothing was asked, or
   * where it was left out there too: that is suspected, and settled later.
   */
  readonly followUp: Option.Option<"brought" | "escaped">
}

/** Requests by range in one probe: the first, and those that go on where an answer stopped. */
export const maxRangeRequests = 4

/**
 * The first conversation about a job: by range, again from where an answer stopped, and by root for what was left out.
 * All that is absent after it is suspected, and only as far as the peer came to it: a code, a bad chunk and an end in the
 * middle of one stand for the combination that was next. What is still untouched when the requests are used up, or when
 * we had to end it, gets no outcome: it stays untested.
 */
export const sample = Effect.fn("Prober.sample")(function* (
  line: Line,
  job: Job,
  due: ReadonlyArray<SlotColumns>,
  blocks: Blocks
) {
  const received: Array<Received> = []
  const failed: Array<Finished> = []
  const gaps: Array<SlotColumns> = []
  const end = job.startSlot + job.count

  let rest = due
  let next = { startSlot: job.startSlot, count: job.count }
  let error = Option.none<RequestError>()
  let cut = Option.none<Cut>()
  for (let request = 0; request < maxRangeRequests; request++) {
    const range = { ...next, columns: job.columns }
    const asked = rest.filter(({ slot }) => slot < next.startSlot + next.count)
    const later = rest.filter(({ slot }) => slot >= next.startSlot + next.count)
    const bounds = line.sizes.byRange(
      { start: next.startSlot, end: next.startSlot + next.count - 1 },
      range.columns.length
    )
    const one = yield* requestColumns(line, columnsByRange(range, bounds), { _tag: "ByRange", ...range }, asked)
    received.push(one)
    error = one.error
    cut = one.cut
    if (Option.isSome(cut)) {
      gaps.push(...split(one, undelivered(one, asked)).passed)
      break
    }
    if (Option.isNone(error)) {
      const absent = absences(one.response, asked)
      gaps.push(...absent.gaps)
      rest = [...absent.truncated, ...later]
    } else {
      const { notReached, passed } = split(one, undelivered(one, asked))
      gaps.push(...passed)
      const stopped = stopAt(error.value, notReached)
      const [first] = stopped.failed
      failed.push(
        ...failAll(blocks, stopped.failed, () => stopped.outcome).map((entry) =>
          entry.block.slot === first?.slot ? { ...entry, isBreak: true } : entry
        )
      )
      if (!stopped.goesOn) break
      rest = [...stopped.rest, ...later]
    }
    const [first] = rest
    if (first === undefined) break
    // A range that was refused by its start is asked for slot by slot; after one that was answered, as a whole again.
    const isAlone = Option.exists(error, ({ _tag }) => _tag === "ColumnsUnavailable")
    next = { startSlot: first.slot, count: isAlone ? 1 : end - first.slot }
  }
  if (Option.contains(cut, "time") && received.every(({ delivered }) => delivered.length === 0)) {
    error = Option.some(tookTooLong)
  }
  const isAnswered = received.some(({ delivered, error }) => delivered.length > 0 || Option.isNone(error))
  const isCut = Option.exists(error, (error) => conversationOf(error) !== "answered" && !isServerError(error))
  const ending = Option.match(error, { onNone: () => "answered" as const, onSome: conversationOf })
  const collected: Sampled = {
    received,
    failed,
    findings: [],
    conversation: isAnswered && !isCut ? "answered" : ending,
    error,
    cut,
    followUp: Option.none()
  }
  if (gaps.length === 0) return collected
  if (isCut || Option.isSome(cut)) {
    return { ...collected, failed: [...failed, ...suspectGaps(blocks, gaps, "left out of an answer by range")] }
  }

  const asked = yield* askByRoot(line, blocks, gaps)
  const { last, left } = asked
  const detail = Option.match(last.error, {
    onNone: () => "left out of two answers",
    onSome: (error) => `left out of an answer by range, and by root: ${describe(error)}`
  })
  const sampled: Sampled = {
    ...collected,
    received: [...received, ...asked.received],
    failed: [...failed, ...suspectGaps(blocks, left, detail)],
    findings: Option.toArray(
      incompleteAnswer(
        gaps,
        asked.received.reduce<ReadonlyArray<SlotColumns>>((due, one) => undelivered(one, due), gaps)
      )
    ),
    error: Option.orElse(error, () => last.error),
    cut: last.cut,
    followUp: followUpOf(asked)
  }
  return sampled
})

const followUpOf = ({ last: { cut, error }, left }: AskedByRoot): Sampled["followUp"] => {
  if (Option.exists(error, isWayOut)) return Option.some("escaped")
  return left.length === 0 && Option.isNone(error) && Option.isNone(cut) ? Option.some("brought") : Option.none()
}

/** An honest peer may have one of these for a reason of its own, but not just when it is asked for what it left out. */
const isWayOut = (error: RequestError): boolean =>
  error._tag === "PeerDisconnected" ||
  error._tag === "ProbeTimeout" ||
  (error._tag === "PeerRefused" && (error.reason === "unsupported_protocol" || error.reason === "rate_limited"))

interface Stopped {
  readonly failed: ReadonlyArray<SlotColumns>
  readonly outcome: Suspected | RequestError
  /** What is asked for next. */
  readonly rest: ReadonlyArray<SlotColumns>
  readonly goesOn: boolean
}

/** What an error says of what had not come by then, in the order in which it would have come. */
const stopAt = (error: RequestError, absent: ReadonlyArray<SlotColumns>): Stopped => {
  const [first, ...rest] = absent
  const suspect = (
    suspicion: Suspected["suspicion"],
    failed: ReadonlyArray<SlotColumns>,
    goesOn: boolean
  ): Stopped => ({
    failed,
    outcome: new Suspected({ suspicion, detail: describe(error) }),
    rest,
    goesOn
  })
  const firstSlot = Arr.fromNullable(first)
  switch (error._tag) {
    case "ColumnsUnavailable":
      return suspect("unavailable", firstSlot, true)
    case "MalformedResponse":
      return suspect(
        "malformed",
        firstSlot.map(({ columns, slot }) => ({ slot, columns: columns.slice(0, 1) })),
        false
      )
    case "PeerRefused":
      if (isServerError(error)) return suspect("server_error", firstSlot, true)
      return { failed: absent, outcome: error, rest: [], goesOn: false }
    case "ProbeTimeout":
    case "PeerDisconnected":
      return { failed: absent, outcome: error, rest: [], goesOn: false }
  }
}

/** Something at the peer broke at this place: the rest may be sound. */
export const isServerError = (error: RequestError): boolean =>
  error._tag === "PeerRefused" && error.reason === "server_error" && error.resultCode !== undefined

/** Of what is absent from an answer that was cut: what it had passed already, and what it had not come to. */
const split = (received: Received, absent: ReadonlyArray<SlotColumns>) => {
  const last = Option.getOrElse(received.response.last, () => ({ slot: -1, index: -1 }))
  const part = (isWanted: (slot: number, column: number) => boolean) =>
    absent
      .map(({ columns, slot }) => ({ slot, columns: columns.filter((column) => isWanted(slot, column)) }))
      .filter(({ columns }) => columns.length > 0)
  const isPassed = (slot: number, column: number) => slot < last.slot || (slot === last.slot && column < last.index)
  return { passed: part(isPassed), notReached: part((slot, column) => !isPassed(slot, column)) }
}

const suspectGaps = (blocks: Blocks, gaps: ReadonlyArray<SlotColumns>, detail: string): ReadonlyArray<Finished> =>
  failAll(blocks, gaps, () => new Suspected({ suspicion: "missing", detail }))

/** A finding if anything of the gaps is not left by now. */
const incompleteAnswer = (
  gaps: ReadonlyArray<SlotColumns>,
  left: ReadonlyArray<SlotColumns>
): Option.Option<Finding> => {
  const absent = new Map(left.map(({ columns, slot }) => [slot, new Set(columns)]))
  const late = gaps.flatMap(({ columns, slot }) =>
    columns.filter((column) => !absent.get(slot)?.has(column)).map((column) => `column ${column} of slot ${slot}`)
  )
  return Option.map(Option.fromNullable(late[0]), (first) => ({
    kind: "incomplete_answer",
    detail: `${first}${late.length > 1 ? ` (and ${late.length - 1} more)` : ""} came only when asked for by root`
  }))
}
