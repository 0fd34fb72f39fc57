import type { FileSystem } from "@effect/platform"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { type Chunk, Effect, Layer, Metric, Queue, Schedule, Schema, Stream, SubscriptionRef } from "effect"
import { Event, Gap } from "../domain/Event.ts"
import * as Metrics from "../domain/metrics/Metrics.ts"
import { daemon } from "../runtime/Daemon.ts"
import { EventBus } from "./EventBus.ts"
import { type EventLogError, type LogFileOptions, openLogFile } from "./LogFile.ts"

export { EventLogError } from "./LogFile.ts"

/**
 * One line of the log; a `Gap` stands for events that are not in it. The sequence begins at 1 again wherever the program
 * was started again.
 */
export const LogLine = Schema.parseJson(Schema.Union(Event, Gap))
export type LogLine = typeof LogLine.Type

/**
 * Appends every event to a file, one a line, 250 ms after it happened at the latest. What was published before the
 * scope closes is in the file when it has closed, unless that takes more than two seconds. While the file cannot be
 * written it is tried again and again; what the bus cannot keep for so long becomes a `Gap`.
 *
 * The file may be moved away at any time. On SIGHUP what waits is written at once, to a file at `path`: nothing goes into
 * the one that was moved away after that.
 */
export const layer = (options: LogFileOptions): Layer.Layer<never, EventLogError, EventBus> =>
  Layer.provide(layerOver(options), NodeFileSystem.layer)

/** The same over a file system of the caller's choice. */
export const layerOver = (
  options: LogFileOptions
): Layer.Layer<never, EventLogError, EventBus | FileSystem.FileSystem> => Layer.scopedDiscard(make(options))

/** SIGHUP, each time that it comes. It does not end the process while someone listens. */
export const hangUps: Stream.Stream<void> = Stream.asyncPush<void>(
  (emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const listener = () => void emit.single(undefined)
        process.on("SIGHUP", listener)
        return listener
      }),
      (listener) => Effect.sync(() => process.off("SIGHUP", listener))
    ),
  { bufferSize: 1, strategy: "sliding" }
)

const make = Effect.fn("EventLog.make")(function* (options: LogFileOptions) {
  const { path } = options
  const bus = yield* EventBus
  const append = yield* openLogFile(options)
  /** Sequence number of the newest event that is in the file. */
  const written = yield* SubscriptionRef.make(yield* bus.sequence)
  // A hang-up does not wait for events: whoever moved the file away expects a fresh one.
  const { withPermits } = yield* Effect.makeSemaphore(1)
  const hungUp = yield* Queue.sliding<void>(1)
  yield* daemon(
    "hang-ups of the event log",
    Stream.runForEach(hangUps, () => Effect.zipRight(hungUp.offer(undefined), withPermits(1)(append([]))))
  )

  const waiting = Effect.zipWith(bus.sequence, SubscriptionRef.get(written), (newest, last) => newest - last)
  yield* daemon(
    "queue depth of the event log",
    Effect.flatMap(waiting, (count) => Metric.set(Metrics.eventLogQueueDepth, count)),
    Schedule.spaced("5 seconds")
  )
  /** Between two batches; the bus keeps what comes meanwhile. */
  const pause = Effect.flatMap(waiting, (count) =>
    count < patientUpTo ? Effect.timeoutOption(hungUp.take, interval) : Effect.void
  )
  const unwritten = Stream.unwrap(
    Effect.map(Effect.flatMap(SubscriptionRef.get(written), bus.subscribeFrom), ({ events }) => events)
  )
  const writeAll = Stream.runForEachChunk(unwritten, (batch) =>
    Effect.gen(function* () {
      const { last, lines, lost } = linesOf(batch, yield* SubscriptionRef.get(written))
      yield* withPermits(1)(append(lines))
      yield* Metric.incrementBy(Metrics.eventLogLost, lost)
      yield* SubscriptionRef.set(written, last)
      yield* pause
    })
  )
  yield* daemon("writing of the event log", writeAll)

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      const newest = yield* bus.sequence
      yield* written.changes.pipe(
        Stream.takeUntil((sequence) => sequence >= newest),
        Stream.runDrain,
        Effect.interruptible,
        Effect.timeoutOption("2 seconds")
      )
      const lost = newest - (yield* SubscriptionRef.get(written))
      if (lost > 0) yield* Effect.logWarning(`event log ${path}: the last ${lost} events could not be written`)
    })
  )
})

const interval = "250 millis"
/** With more events than these there is no pause. */
const patientUpTo = 500

/** The lines of a batch that follows `before`, with a gap wherever the sequence jumps, and its last sequence number. */
const linesOf = (batch: Chunk.Chunk<Event>, before: number) => {
  let last = before
  let lost = 0
  const lines: Array<string> = []
  for (const event of batch) {
    const { sequence } = event
    if (sequence > last + 1) {
      lost += sequence - last - 1
      lines.push(lineOf({ _tag: "Gap", from: last + 1, to: sequence - 1 }))
    }
    lines.push(lineOf(event))
    last = sequence
  }
  return { lines, last, lost }
}

/** The types say that what is logged is encoded as it is: Schema's encoder would only copy it, slowly. */
const lineOf = (line: Event | Gap): string => {
  const encoded: typeof Event.Encoded | typeof Gap.Encoded = line
  return `${JSON.stringify(encoded)}\n`
}
