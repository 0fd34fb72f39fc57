import type { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { type Chunk, Effect, Either, Layer, Schema, Stream, SubscriptionRef } from "effect"
import { Event } from "../domain/Event.ts"
import { EventBus } from "./EventBus.ts"
import { type EventLogError, openLogFile } from "./LogFile.ts"

export { EventLogError } from "./LogFile.ts"

/** In place of events that are not in the log: those from one sequence number to another, both included. */
export const Gap = Schema.TaggedStruct("Gap", { from: Schema.Int, to: Schema.Int })

/** One line of the log. The sequence begins at 1 again wherever the program was started again. */
export const LogLine = Schema.parseJson(Schema.Union(Event, Gap))
export type LogLine = typeof LogLine.Type

/**
 * Appends every event to a file, one a line, 250 ms after it happened at the latest. What was published before the
 * scope closes is in the file when it has closed, unless that takes more than two seconds. While the file cannot be
 * written it is tried again and again; what the bus cannot keep for so long becomes a `Gap`.
 */
export const layer = (path: string): Layer.Layer<never, EventLogError, EventBus> =>
  Layer.provide(layerOver(path), NodeFileSystem.layer)

/** The same over a file system of the caller's choice. */
export const layerOver = (path: string): Layer.Layer<never, EventLogError, EventBus | FileSystem.FileSystem> =>
  Layer.scopedDiscard(make(path))

const make = Effect.fn("EventLog.make")(function* (path: string) {
  const bus = yield* EventBus
  const append = yield* openLogFile(path)
  const events = yield* bus.subscribe
  /** Sequence number of the newest event that is in the file. */
  const written = yield* SubscriptionRef.make(yield* bus.sequence)

  yield* events.pipe(
    Stream.groupedWithin(batchSize, "250 millis"),
    Stream.runForEach((batch) =>
      Effect.gen(function* () {
        const { last, lines } = linesOf(batch, yield* SubscriptionRef.get(written))
        yield* append(lines)
        yield* SubscriptionRef.set(written, last)
      })
    ),
    Effect.catchAllDefect((defect) => Effect.logError(`event log ${path}: stopped by a defect`, defect)),
    Effect.forkScoped
  )

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

const batchSize = 1024

/** The lines of a batch that follows `before`, with a gap wherever the sequence jumps, and its last sequence number. */
const linesOf = (batch: Chunk.Chunk<Event>, before: number): { readonly lines: string; readonly last: number } => {
  let last = before
  let lines = ""
  for (const event of batch) {
    const { sequence } = event
    if (sequence > last + 1) lines += `${gap(last + 1, sequence - 1)}\n`
    lines += `${Either.getOrElse(encode(event), () => gap(sequence, sequence))}\n`
    last = Math.max(last, sequence)
  }
  return { lines, last }
}

const encode = Schema.encodeEither(LogLine)

const gap = (from: number, to: number): string => Schema.encodeSync(LogLine)({ _tag: "Gap", from, to })
