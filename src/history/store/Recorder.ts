import { Deferred, Duration, Effect, Metric, Option, Queue, Schedule, Schema, type Scope } from "effect"
import {
  historyPaused,
  historyQueueDepth,
  historyRecords,
  historyRecordsLost,
  historyWriteSeconds
} from "../../domain/metrics/Metrics.ts"
import type { RecordingState } from "../../domain/Status.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { HistoryError } from "./History.ts"

/** A batch could not be written. */
export class WriteError extends Schema.TaggedError<WriteError>()("WriteError", {
  reason: Schema.String,
  /** Whether the same batch can be written later. If not, one of its records is at fault. */
  passing: Schema.Boolean
}) {}

export interface Recorder<A> {
  /** Queues; waits while the queue is full. */
  readonly record: (record: A) => Effect.Effect<void>
  /** Everything queued before is written when this returns. */
  readonly flush: Effect.Effect<void, HistoryError>
  readonly state: Effect.Effect<RecordingState>
}

/**
 * Queues records and writes them in batches, in their order. What cannot be written stays in the queue and is tried
 * again; the queue is bounded, so that whoever records waits. Closing the scope writes what is queued.
 */
export const makeRecorder = <A>(options: {
  /** What a record costs to hold and to write, in any unit. */
  readonly weigh: (record: A) => number
  /** Weight that may wait. */
  readonly capacity: number
  /** All of the batch or nothing. */
  readonly write: (batch: ReadonlyArray<A>) => Effect.Effect<void, WriteError>
}): Effect.Effect<Recorder<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<Item<A>>()
    const room = yield* Effect.makeSemaphore(options.capacity)
    /** Open while somebody waits for a flush. */
    const hurry = yield* Effect.makeLatch(false)
    yield* Metric.set(historyPaused, 0)
    const trouble = { reason: Option.none<string>() }
    const records = { queued: 0 }
    const showDepth = Effect.suspend(() => Metric.set(historyQueueDepth, records.queued))

    const record = (record: A) => {
      const weight = Math.min(options.capacity, Math.max(1, options.weigh(record)))
      return Effect.uninterruptibleMask((restore) =>
        restore(room.take(weight)).pipe(
          Effect.zipRight(
            Effect.sync(() => {
              records.queued++
              queue.unsafeOffer({ _tag: "Record", record, weight })
            })
          ),
          Effect.zipRight(showDepth)
        )
      )
    }

    const flush = Effect.gen(function* () {
      const written = yield* Deferred.make<void>()
      queue.unsafeOffer({ _tag: "Barrier", written })
      hurry.unsafeOpen()
      yield* Deferred.await(written)
    }).pipe(
      Effect.timeoutFail({
        duration: flushLimit,
        onTimeout: () =>
          new HistoryError({
            operation: "write",
            reason: Option.getOrElse(
              trouble.reason,
              () => `the disk did not keep up within ${Duration.format(flushLimit)}`
            )
          })
      })
    )

    const failed = (error: WriteError) =>
      Effect.gen(function* () {
        if (!error.passing || Option.isSome(trouble.reason)) return
        trouble.reason = Option.some(error.reason)
        yield* Metric.set(historyPaused, 1)
        yield* Effect.logError(`the history cannot be written, and waits: ${error.reason}`)
      })

    const succeeded = Effect.gen(function* () {
      if (Option.isNone(trouble.reason)) return
      trouble.reason = Option.none()
      yield* Metric.set(historyPaused, 0)
      yield* Effect.logInfo("the history is written again")
    })

    const write = (batch: ReadonlyArray<A>): Effect.Effect<void> =>
      options.write(batch).pipe(
        timed,
        Effect.catchAllDefect((defect) => Effect.fail(new WriteError({ reason: String(defect), passing: false }))),
        Effect.tapError(failed),
        Effect.retry({ schedule: retries, while: (error) => error.passing }),
        Effect.matchEffect({
          onSuccess: () => Effect.zipRight(Metric.incrementBy(historyRecords, batch.length), succeeded),
          // A record that no database would take must not keep out all that follow it.
          onFailure: (error) =>
            batch.length === 1
              ? Effect.zipRight(
                  Metric.increment(historyRecordsLost),
                  Effect.logError(`a record that cannot be written was left out of the history: ${error.reason}`)
                )
              : Effect.forEach(batch, (record) => write([record]), { discard: true })
        })
      )

    const writeNext = Effect.gen(function* () {
      const first = yield* Queue.take(queue)
      // Waiting a moment lets records share a transaction; behind a batch there is nothing to wait for.
      if (waiting(queue) < batchRecords) yield* hurry.await.pipe(Effect.timeoutOption(linger))
      const items = [first, ...(yield* Queue.takeUpTo(queue, batchRecords - 1))]
      const batch = items.filter((item) => item._tag === "Record")
      if (batch.length > 0) yield* write(batch.map(({ record }) => record))
      records.queued -= batch.length
      yield* showDepth
      yield* room.release(batch.reduce((sum, { weight }) => sum + weight, 0))
      for (const item of items) if (item._tag === "Barrier") yield* Deferred.succeed(item.written, undefined)
      yield* Effect.sync(() => waiting(queue) === 0 && hurry.unsafeClose())
    })

    yield* daemon("recording of the history", Effect.forever(writeNext))
    // Finalizers cannot be interrupted, and without interruption no limit holds.
    yield* Effect.addFinalizer(() =>
      Effect.catchAll(Effect.interruptible(flush), (error) =>
        Effect.logError(`the last records were not written: ${error.message}`)
      )
    )
    const state = Effect.sync((): RecordingState => ({
      state: Option.isSome(trouble.reason) ? "paused" : "recording",
      reason: Option.getOrNull(trouble.reason),
      queued: records.queued
    }))
    return { record, flush, state }
  })

type Item<A> =
  | { readonly _tag: "Record"; readonly record: A; readonly weight: number }
  | { readonly _tag: "Barrier"; readonly written: Deferred.Deferred<void> }

const waiting = (queue: { readonly unsafeSize: () => Option.Option<number> }): number =>
  Option.getOrElse(queue.unsafeSize(), () => 0)

/** A batch that fails takes its time too. */
const timed = <A, E>(write: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.timed(Effect.exit(write)), ([took, exit]) =>
    Effect.zipRight(Metric.update(historyWriteSeconds, Duration.toSeconds(took)), exit)
  )

const batchRecords = 200
const linger = Duration.millis(50)
/** Of a flush, and so of closing. */
const flushLimit = Duration.seconds(3)

/** At once, then ever more slowly, to every second. */
const retries = Schedule.exponential("50 millis").pipe(Schedule.union(Schedule.spaced("1 second")))
