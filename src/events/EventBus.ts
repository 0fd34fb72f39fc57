import { Context, type Effect, type Scope, type Stream } from "effect"
import type { Event, EventBody } from "../domain/Event.ts"

/** Numbers events and hands them to whoever listens. A listener that is slow loses the oldest, never slows a prober. */
export class EventBus extends Context.Tag("dasmon/EventBus")<
  EventBus,
  {
    /** Stamps and delivers; never waits. */
    readonly publish: (body: EventBody) => Effect.Effect<Event>
    /** Sequence number of the newest event; 0 before the first. */
    readonly sequence: Effect.Effect<number>
    /** Every event after the moment at which this effect returns. A gap in the sequence shows that some were lost. */
    readonly subscribe: Effect.Effect<Stream.Stream<Event>, never, Scope.Scope>
  }
>() {}
