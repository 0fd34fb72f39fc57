import { Chunk, Effect, Either, Fiber, Option, Stream } from "effect"
import {
  accept,
  type ColumnRequest,
  isAwaited,
  type ResponseState,
  type SlotColumns,
  startResponse
} from "../domain/column/ColumnResponse.ts"
import { makeCombinations } from "../domain/column/Combinations.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import { MalformedResponse, type RequestError } from "../domain/probe/Outcome.ts"
import type { PeerId } from "../domain/Primitives.ts"
import type { Host } from "../host/Host.ts"
import type { RequestMessage, ResponseChunk } from "../wire/Message.ts"
import type { AnswerSizes } from "./AnswerSizes.ts"
import { type Delivered, makeAttribution, type Network } from "./Attribution.ts"
import type { HeldSidecars } from "./HeldSidecars.ts"
import { type Cut, ProbeTurn } from "./ProbeTurn.ts"

export type { Delivered } from "./Attribution.ts"

/** Everything that one request brought. */
export interface Received {
  readonly message: RequestMessage
  /** The protocol id that was negotiated; empty if it did not come to that. */
  readonly protocol: string
  /** Unix milliseconds. */
  readonly sentAt: number
  readonly response: ResponseState
  readonly delivered: ReadonlyArray<Delivered>
  readonly findings: ReadonlyArray<Finding>
  /** What ended the response, unless the peer ended it cleanly, or all that was due had come. */
  readonly error: Option.Option<RequestError>
  /** Why we ended it ourselves, before all that was due had come. */
  readonly cut: Option.Option<Cut>
  /** Milliseconds; none for what was not reached. */
  readonly openMs: Option.Option<number>
  readonly firstByteMs: Option.Option<number>
  readonly bytes: number
}

/** One peer, as it is spoken to in one probe. */
export interface Line {
  readonly host: Host["Type"]
  readonly network: Network
  readonly peerId: PeerId
  readonly sizes: AnswerSizes
  readonly held: HeldSidecars
}

/**
 * Sends one request for columns and reads the response to its end, however it ends. A chunk that cannot be decoded or
 * attributed ends it as malformed; what came before is kept. When all that is due has come, the peer has a second to end
 * it: then it is complete, and one that is left open a finding.
 */
export const requestColumns = Effect.fn("Prober.requestColumns")(function* (
  { held, host, network, peerId }: Line,
  message: RequestMessage,
  request: ColumnRequest,
  due: ReadonlyArray<SlotColumns>
) {
  const turn = yield* ProbeTurn
  const clock = yield* Effect.clock
  const now = (): number => clock.unsafeCurrentTimeMillis()
  const startedAt = now()
  const missing = makeCombinations()
  for (const { columns, slot } of due) for (const column of columns) missing.add(slot, column)
  const isAnyDue = missing.size() > 0
  const isComplete = (): boolean => isAnyDue && missing.size() === 0
  const attribute = makeAttribution(network)
  const response = startResponse(request)
  const delivered: Array<Delivered> = []
  const findings: Array<Finding> = []
  let protocol = ""
  let openMs = Option.none<number>()
  let firstByteMs = Option.none<number>()
  let bytes = 0
  let isLeftOpen = false
  let isFull = false

  /** Gives what ends the response. */
  const take = (chunk: ResponseChunk): RequestError | "full" | undefined => {
    if (Option.isNone(firstByteMs)) firstByteMs = Option.some(now() - startedAt)
    bytes += chunk.wireBytes
    isLeftOpen = false
    const attributed = attribute(chunk)
    if (Either.isLeft(attributed)) return attributed.left
    const { sidecar, wrongContext } = attributed.right
    const { column, slot, ssz } = sidecar
    if (Option.isSome(wrongContext)) findings.push(wrongContext.value)
    const place = { slot, index: column }
    if (isAwaited(response, place)) {
      const keeping = held.keep(slot, column, ssz.length)
      if (typeof keeping !== "string" || keeping === "full") return keeping
      if (keeping === "kept") delivered.push(sidecar)
      if (missing.remove(slot, column) && missing.size() === 0) isLeftOpen = true
    }
    const accepted = accept(response, place)
    if (Either.isLeft(accepted)) return new MalformedResponse({ detail: accepted.left.message })
    if (Option.isSome(accepted.right.finding)) findings.push(accepted.right.finding.value)
    return undefined
  }

  const read = Effect.gen(function* () {
    turn.waits(startedAt)
    const answer = yield* Effect.mapError(host.request(peerId, message), Option.some)
    protocol = answer.protocol
    openMs = Option.some(now() - startedAt)
    const pull = yield* Stream.toPull(answer.chunks)
    while (true) {
      turn.waits(now())
      const chunks = yield* isComplete() ? inGrace(pull, now) : pull
      turn.heard(
        now(),
        Chunk.reduce(chunks, 0, (sum, { wireBytes }) => sum + wireBytes)
      )
      for (const chunk of chunks) {
        const end = take(chunk)
        if (end === "full") {
          isFull = true
          return yield* Effect.fail(Option.none())
        }
        if (end !== undefined) return yield* Effect.fail(Option.some(end))
      }
    }
  }).pipe(Effect.scoped, Effect.flip)

  const [end, cut] = yield* Effect.raceFirst(
    Effect.map(read, (end) => [end, Option.none<Cut>()] as const),
    Effect.map(turn.cut, (cut) => [Option.none<Ending>(), Option.some(cut)] as const)
  )
  turn.heard(now(), 0)
  const isLate = Option.isSome(cut) || Option.exists(end, isSilence)
  if (isComplete() && isLeftOpen && isLate) findings.push(leftOpen)
  const received: Received = {
    message,
    protocol,
    sentAt: startedAt,
    response,
    delivered,
    findings: oneOfEach(findings),
    error: Option.filter(
      end,
      (end): end is RequestError => end._tag !== "LeftOpen" && !(isComplete() && isNoMore(end))
    ),
    cut: isComplete() ? Option.none() : isFull ? Option.some("room") : cut,
    openMs,
    firstByteMs,
    bytes
  }
  return received
})

/** The peer did not end its response after all that was due. */
interface LeftOpen {
  readonly _tag: "LeftOpen"
}

type Ending = RequestError | LeftOpen

/** Nothing more came: that is nothing to one that has brought everything. */
const isNoMore = ({ _tag }: Ending): boolean => _tag === "ProbeTimeout" || _tag === "PeerDisconnected"

const isSilence = ({ _tag }: Ending): boolean => _tag === "ProbeTimeout" || _tag === "LeftOpen"

/** The next chunks, if they come soon; a timer that fires late, since we were busy, is set once more. */
const inGrace = <E>(pull: Effect.Effect<Chunk.Chunk<ResponseChunk>, Option.Option<E>>, now: () => number) =>
  Effect.gen(function* () {
    const pulling = yield* Effect.fork(pull)
    for (let attempt = 0; attempt < 3; attempt++) {
      const since = now()
      const exit = yield* Effect.timeoutOption(Fiber.await(pulling), graceMs)
      if (Option.isSome(exit)) return yield* exit.value
      if (now() - since < graceMs + lateMs) break
    }
    yield* Fiber.interruptFork(pulling)
    return yield* Effect.fail(Option.some<LeftOpen>({ _tag: "LeftOpen" }))
  })

const graceMs = 1_000
const lateMs = 250

const leftOpen: Finding = {
  kind: "stream_left_open",
  detail: `everything that was asked for came, and the stream was not ended within ${graceMs} ms`
}

/** One finding of each kind and response, with how often it occurred: a peer cannot fill our memory with them. */
const oneOfEach = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const kinds = new Map<Finding["kind"], { readonly first: Finding; readonly count: number }>()
  for (const finding of findings) {
    const seen = kinds.get(finding.kind)
    kinds.set(finding.kind, { first: seen?.first ?? finding, count: (seen?.count ?? 0) + 1 })
  }
  return [...kinds.values()].map(({ count, first }) =>
    count === 1 ? first : { kind: first.kind, detail: `${first.detail} (and ${count - 1} more)` }
  )
}
