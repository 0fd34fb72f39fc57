import { Duration, Effect, Metric, Option, Ref, Schedule } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { xatuExportSeconds, xatuRefused, xatuSent } from "../../domain/metrics/Metrics.ts"
import type { Backlog } from "./Backlog.ts"
import { describeFrame, type Frame } from "../event/Codec.ts"
import type { Transport, BatchRefused, SendError } from "./Transport.ts"

/** How long is waited between attempts. */
export interface Pace {
  /** After the first failure; it doubles, with jitter, up to `most`. */
  readonly first: Duration.Duration
  readonly most: Duration.Duration
  /** After the server did not let us in. */
  readonly denied: Duration.Duration
}

export const defaultPace: Pace = {
  first: Duration.millis(500),
  most: Duration.seconds(30),
  denied: Duration.minutes(1)
}

export interface Shipper {
  /** Sends what waits, for ever. */
  readonly run: Effect.Effect<never>
  /** Whether the last attempt failed. */
  readonly isFailing: Effect.Effect<boolean>
}

/**
 * Sends batches from the backlog, one at a time. A batch that is refused is halved down to the events at fault. A server
 * that fails for reasons of its own refuses batches too. So such an event is only suspected at first, and dropped when
 * it is refused again right after the server took others; and of a batch of which nothing is taken everything is kept
 * and tried again, with more events each time.
 */
export const makeShipper = Effect.fnUntraced(function* (
  transport: Transport["Type"],
  backlog: Backlog,
  options: { readonly batchSize: number; readonly pace: Pace }
): Effect.fn.Return<Shipper> {
  const { batchSize, pace } = options
  /** What the last attempt came to, while it is a failure. */
  const failing = yield* Ref.make(Option.none<SendError["_tag"]>())
  /** Whether it was told that the server leaves events out. */
  const isFilterTold = yield* Ref.make(false)

  /** Were refused alone while the server took others. */
  const suspects = new Set<Frame>()

  const report = (error: SendError) =>
    Effect.flatMap(Ref.getAndSet(failing, Option.some(error._tag)), (before) => {
      if (Option.contains(before, error._tag)) return Effect.void
      switch (error._tag) {
        case "ServerUnavailable":
          return Effect.logWarning(`xatu: ${transport.name} cannot be reached, events wait: ${error.reason}`)
        case "AccessDenied":
          return Effect.logError(`xatu: ${transport.name} denies us access, events wait: ${error.reason}`)
        case "BatchRefused":
          return Effect.logError(`xatu: ${transport.name} refuses every event, events wait: ${error.reason}`)
      }
    })

  const accepted = (frames: ReadonlyArray<Frame>, ingested: Option.Option<number>) =>
    Effect.gen(function* () {
      yield* backlog.settle(frames)
      for (const frame of frames) suspects.delete(frame)
      yield* Metric.incrementBy(xatuSent, frames.length)
      if (Option.isSome(yield* Ref.getAndSet(failing, Option.none()))) {
        yield* Effect.logInfo(`xatu: ${transport.name} accepts events again`)
      }
      if (Option.exists(ingested, (count) => count < frames.length)) {
        yield* Effect.unlessEffect(
          Effect.logWarning(
            `xatu: ${transport.name} took in fewer events than were sent: a filter of the server leaves them out`
          ),
          Ref.getAndSet(isFilterTold, true)
        )
      }
    })

  /** Whether it was taken; waits for as long as the server cannot say. */
  const send = (frames: ReadonlyArray<Frame>): Effect.Effect<Option.Option<BatchRefused>> =>
    transport.send(concatBytes(frames)).pipe(
      Effect.timed,
      Effect.tap(([duration]) => Metric.update(xatuExportSeconds, Duration.toSeconds(duration))),
      Effect.map(([, ingested]) => ingested),
      Effect.tapErrorTag("ServerUnavailable", report),
      Effect.tapErrorTag("AccessDenied", report),
      Effect.retry({ schedule: temporaryRetries(pace), while: (error) => error._tag === "ServerUnavailable" }),
      Effect.retry({ schedule: deniedRetries(pace), while: (error) => error._tag === "AccessDenied" }),
      Effect.flatMap((ingested) => Effect.uninterruptible(accepted(frames, ingested))),
      Effect.as(Option.none<BatchRefused>()),
      Effect.catchAll((error) =>
        error._tag === "BatchRefused" ? Effect.succeed(Option.some(error)) : Effect.dieMessage("retried without end")
      )
    )

  /** Sends what the server takes of the frames. Level by level, so that the first parts that are taken are found soon. */
  const sendAll = (frames: ReadonlyArray<Frame>, thorough: boolean): Effect.Effect<SendResult> =>
    Effect.gen(function* () {
      const refusedAlone: Array<Frame> = []
      let isTaken = false
      let refusal = Option.none<BatchRefused>()
      let parts = partsOf(frames, batchSize)
      while (parts.length > 0) {
        const next: Array<ReadonlyArray<Frame>> = []
        for (const part of parts) {
          const refused = yield* send(part)
          if (Option.isNone(refused)) {
            isTaken = true
            continue
          }
          refusal = refused
          if (part.length === 1) refusedAlone.push(...part)
          else next.push(...partsOf(part, Math.ceil(part.length / 2)))
        }
        const isRefusedWholly = !isTaken && !thorough && parts.length + refusedAlone.length >= enoughParts
        parts = isRefusedWholly ? [] : next
      }
      return { isTaken, refusedAlone, refusal }
    })

  /** Tries the suspects once more, each alone; what is refused again is dropped. */
  const dropRefused = Effect.gen(function* () {
    let told = 0
    for (const frame of suspects) {
      const refused = yield* send([frame])
      if (Option.isNone(refused)) continue
      suspects.delete(frame)
      yield* Effect.uninterruptible(Effect.zipRight(backlog.settle([frame]), Metric.increment(xatuRefused)))
      if (told++ < mostTold) {
        yield* Effect.logWarning(
          `xatu: dropped ${describeFrame(frame)}, which the server refuses: ${refused.value.reason}`
        )
      }
    }
    if (told > mostTold)
      yield* Effect.logWarning(`xatu: dropped ${told - mostTold} more events that the server refuses`)
  })

  /** Nothing else is there to show that the server works: it may take them, and if not, that proves nothing. */
  const retrySuspects = (frames: ReadonlyArray<Frame>) =>
    Effect.zipRight(sendAll(frames, false), Effect.sleep(Duration.times(pace.first, suspectRest)))

  const run = Effect.gen(function* () {
    const delays = yield* Schedule.driver(temporaryRetries(pace))
    /** Rounds in which the server took nothing at all, one after the other. */
    let refusedRounds = 0
    return yield* Effect.gen(function* () {
      yield* backlog.ready
      const taken = yield* backlog.take(batchSize * Math.min(mostBatches, 1 + refusedRounds) + suspects.size)
      const frames = taken.filter((frame) => !suspects.has(frame))
      if (frames.length === 0) return yield* retrySuspects(taken)
      const thorough = refusedRounds % thoroughEvery === thoroughEvery - 1
      const { refusedAlone, isTaken, refusal } = yield* sendAll(
        thorough ? frames.slice(0, batchSize) : frames,
        thorough
      )
      if (isTaken) {
        yield* dropRefused
        for (const frame of refusedAlone) suspects.add(frame)
        if (refusedRounds > 0) yield* delays.reset
        refusedRounds = 0
      } else {
        refusedRounds++
        if (Option.isSome(refusal)) yield* report(refusal.value)
        yield* Effect.ignore(delays.next(undefined))
      }
    }).pipe(Effect.forever)
  })

  return { run, isFailing: Effect.map(Ref.get(failing), Option.isSome) }
})

/** How a round went. */
interface SendResult {
  /** Whether anything was taken. */
  readonly isTaken: boolean
  /** Events that were refused even as a batch of one. */
  readonly refusedAlone: ReadonlyArray<Frame>
  readonly refusal: Option.Option<BatchRefused>
}

/** Parts that must all be refused before that is put down to the server. */
const enoughParts = 8
/** Batches that are tried together with one that is wholly refused. */
const mostBatches = 4
/** Every so many rounds the whole batch is taken apart: bad events may be spread over all the parts of it. */
const thoroughEvery = 5
/** How much longer than `Pace.first` suspects rest, while there is nothing else to send. */
const suspectRest = 10
/** Dropped events that are told one by one. */
const mostTold = 5
/** Of one request: many a proxy takes no more than 4 MiB. */
const requestBytes = 3 * 2 ** 20

const temporaryRetries = ({ first, most }: Pace) =>
  Schedule.exponential(first).pipe(Schedule.union(Schedule.spaced(most)), Schedule.jittered)

const deniedRetries = ({ denied }: Pace) => Schedule.spaced(denied).pipe(Schedule.jittered)

/** Parts of at most `count` events and `requestBytes` bytes. */
const partsOf = (frames: ReadonlyArray<Frame>, count: number): ReadonlyArray<ReadonlyArray<Frame>> => {
  const parts: Array<Array<Frame>> = []
  let part: Array<Frame> = []
  let bytes = 0
  for (const frame of frames) {
    if (part.length > 0 && (part.length >= count || bytes + frame.length > requestBytes)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(frame)
    bytes += frame.length
  }
  return part.length > 0 ? [...parts, part] : parts
}
