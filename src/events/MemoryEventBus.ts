import { Chunk, type Clock, Effect, Layer, Option, Stream } from "effect"
import { randomUUID } from "node:crypto"
import type { Event, EventBody } from "../domain/Event.ts"
import { EventBus } from "./EventBus.ts"
import { makeReplayBuffer } from "./ReplayBuffer.ts"

export interface EventBusOptions {
  /** Events kept for whoever comes late or is slow (16,384). */
  readonly capacity?: number
  /** Bytes that the kept events may have as JSON, about (32 MiB). */
  readonly bytes?: number
}

/** A bus within this process. When its scope closes, the streams end. */
export const layer = (options: EventBusOptions = {}): Layer.Layer<EventBus> => Layer.scoped(EventBus, make(options))

/** The bus alone. */
export const make = Effect.fnUntraced(function* (options: EventBusOptions = {}) {
  const buffer = makeReplayBuffer({
    events: options.capacity ?? 16_384,
    bytes: options.bytes ?? 32 * 1024 * 1024
  })
  const waiting = new Set<() => void>()
  let newest = 0
  let closed = false

  const wake = () => {
    for (const resume of waiting) resume()
    waiting.clear()
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      wake()
    })
  )

  /** Returns when there is an event after `sequence`, or never will be. */
  const arrival = (sequence: number) =>
    Effect.async<void>((resume) => {
      const done = () => resume(Effect.void)
      if (newest > sequence || closed) return done()
      waiting.add(done)
      return Effect.sync(() => void waiting.delete(done))
    })

  const after = (sequence: number): Stream.Stream<Event> =>
    Stream.suspend(() => {
      let last = sequence
      const next = Effect.suspend(() => {
        const events = buffer.after(last)
        last = events.at(-1)?.sequence ?? last
        return events.length === 0 ? Effect.fail(Option.none()) : Effect.succeed(Chunk.unsafeFromArray(events))
      })
      return Stream.repeatEffectChunkOption(Effect.suspend(() => Effect.zipRight(arrival(last), next)))
    })

  const tellAt =
    (clock: Clock.Clock) =>
    (body: EventBody): Event => {
      newest++
      const event: Event = { ...body, sequence: newest, timestamp: clock.unsafeCurrentTimeMillis() }
      if (!closed) {
        buffer.push(event)
        wake()
      }
      return event
    }

  const inOneStep: EventBus["Type"]["inOneStep"] = (step) =>
    Effect.clockWith((clock) => Effect.sync(() => step({ sequence: () => newest, tell: tellAt(clock) })))

  return EventBus.of({
    run: randomUUID(),
    inOneStep,
    publish: (body) => inOneStep(({ tell }) => tell(body)),
    sequence: Effect.sync(() => newest),
    subscribe: Effect.sync(() => after(newest)),
    subscribeFrom: (sequence) =>
      Effect.sync(() => {
        if (sequence > newest) return { gap: gap(1, newest), events: after(newest) }
        return { gap: gap(sequence + 1, buffer.oldest() - 1), events: after(sequence) }
      })
  })
})

const gap = (from: number, to: number) => (to < from ? undefined : ({ _tag: "Gap", from, to } as const))
