import { Context, Effect, Layer, Metric, PartitionedSemaphore } from "effect"
import * as Metrics from "../domain/metrics/Metrics.ts"

/** Bounds how many probes run at once over all peers; those that wait are served round-robin by peer. */
export class ProbeWorkers extends Context.Tag("dasmon/ProbeWorkers")<
  ProbeWorkers,
  { readonly run: <A, E, R>(peerId: string, probe: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> }
>() {
  static readonly layer = (workers: number) =>
    Layer.effect(
      ProbeWorkers,
      Effect.gen(function* () {
        const semaphore = yield* PartitionedSemaphore.make<string>({ permits: workers })
        yield* Metric.set(Metrics.workers, workers)
        return ProbeWorkers.of({
          run: (peerId, probe) =>
            Effect.suspend(() => {
              let waits = 1
              const leave = Effect.suspend(() => {
                const by = -waits
                waits = 0
                return Metric.incrementBy(Metrics.workersWaiting, by)
              })
              return Effect.acquireUseRelease(
                Metric.increment(Metrics.workersWaiting),
                () => semaphore.withPermits(peerId, 1)(Effect.zipRight(leave, probe)),
                () => leave
              )
            })
        })
      })
    )
}
