import { Clock, Effect, Layer, PubSub, Ref, Stream } from "effect"
import type { Event } from "../domain/Event.ts"
import { EventBus } from "./EventBus.ts"

export interface EventBusOptions {
  /** Events kept for the slowest listener; beyond that it loses the oldest. */
  readonly capacity?: number
}

/** A bus within this process. When its scope closes, the streams end. */
export const layer = (options: EventBusOptions = {}): Layer.Layer<EventBus> =>
  Layer.scoped(EventBus, make(options.capacity ?? 4096))

const make = Effect.fnUntraced(function* (capacity: number) {
  const hub = yield* Effect.acquireRelease(PubSub.sliding<Event>(capacity), PubSub.shutdown)
  const newest = yield* Ref.make(0)
  // Whoever holds the permit never waits. It keeps the numbers, the order of delivery and the listeners in step.
  const { withPermits } = yield* Effect.makeSemaphore(1)
  const atomic = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.uninterruptible(withPermits(1)(effect))
  return EventBus.of({
    publish: (body) =>
      atomic(
        Effect.gen(function* () {
          const timestamp = yield* Clock.currentTimeMillis
          const sequence = yield* Ref.updateAndGet(newest, (sequence) => sequence + 1)
          const event: Event = { ...body, sequence, timestamp }
          // A hub that is shut down interrupts whoever publishes.
          if (!(yield* hub.isShutdown)) yield* hub.publish(event)
          return event
        })
      ),
    sequence: atomic(Ref.get(newest)),
    subscribe: atomic(
      Effect.flatMap(hub.isShutdown, (isShutdown) =>
        isShutdown ? Effect.succeed(Stream.empty) : Stream.fromPubSub(hub, { scoped: true })
      )
    )
  })
})
