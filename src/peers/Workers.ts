import { Context, Effect, Layer, PartitionedSemaphore } from "effect"

/** Bounds how many probes run at once over all peers; those that wait are served round-robin by peer. */
export class Workers extends Context.Tag("dasmon/Workers")<
  Workers,
  { readonly run: <A, E, R>(peerId: string, probe: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> }
>() {
  static readonly layer = (workers: number) =>
    Layer.effect(
      Workers,
      Effect.map(PartitionedSemaphore.make<string>({ permits: workers }), (semaphore) =>
        Workers.of({ run: (peerId, probe) => semaphore.withPermits(peerId, 1)(probe) })
      )
    )
}
