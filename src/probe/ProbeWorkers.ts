import { Context, Deferred, Effect, FiberId, Layer, Metric } from "effect"
import * as Metrics from "../domain/metrics/Metrics.ts"

/**
 * Bounds how many probes run at once over all peers. First come, first served: a peer waits for one probe at a time, so
 * that peers take turns.
 */
export class ProbeWorkers extends Context.Tag("dasmon/ProbeWorkers")<
  ProbeWorkers,
  {
    readonly run: <A, E, R>(probe: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** From here on no probe begins: who waits, or comes, waits until it is interrupted. */
    readonly close: Effect.Effect<void>
  }
>() {
  static readonly layer = (workers: number) =>
    Layer.effect(ProbeWorkers, Effect.as(Metric.set(Metrics.workers, workers), ProbeWorkers.of(makeWorkers(workers))))
}

/**
 * A queue of our own: Effect's `PartitionedSemaphore` (3.22) loses a permit whose waiter is interrupted in the moment in
 * which it is given one, and its `Semaphore` wakes all that wait, thousands, for each permit.
 */
const makeWorkers = (workers: number): ProbeWorkers["Type"] => {
  const waiting = new Set<Deferred.Deferred<void>>()
  let free = workers
  let isClosed = false

  const giveBack = Effect.suspend(() => {
    const [next] = waiting
    if (next === undefined || isClosed) {
      free++
      return Effect.void
    }
    waiting.delete(next)
    return Effect.asVoid(Deferred.succeed(next, undefined))
  })

  const take = (restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      if (free > 0 && !isClosed) {
        free--
        return Effect.void
      }
      const turn = Deferred.unsafeMake<void>(FiberId.none)
      waiting.add(turn)
      return Metric.increment(Metrics.workersWaiting).pipe(
        Effect.zipRight(restore(Deferred.await(turn))),
        // Who is interrupted when the turn has come already passes it on.
        Effect.onInterrupt(() => (waiting.delete(turn) ? Effect.void : giveBack)),
        Effect.ensuring(Metric.incrementBy(Metrics.workersWaiting, -1))
      )
    })

  return {
    close: Effect.sync(() => {
      isClosed = true
    }),
    run: (probe) =>
      Effect.uninterruptibleMask((restore) => Effect.zipRight(take(restore), Effect.ensuring(restore(probe), giveBack)))
  }
}
