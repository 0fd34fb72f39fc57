import { Context, type Effect, type Stream } from "effect"
import type { Event, EventBody, Gap } from "../domain/Event.ts"

/** Numbers events, keeps the newest, and hands them to whoever listens. */
export class EventBus extends Context.Tag("dasmon/EventBus")<
  EventBus,
  {
    /** UUID of this run of the program: sequence numbers of two runs have nothing to do with each other. */
    readonly run: string
    /** Stamps and delivers; never waits. */
    readonly publish: (body: EventBody) => Effect.Effect<Event>
    /**
     * Runs `step`, which reads or changes state and tells of it, without anything coming in between: who reads state in a
     * step of its own finds it together with all that was told of it, or with none of that. `step` must not wait, and
     * what it throws is a defect.
     */
    readonly inOneStep: <A>(step: (bus: BusStep) => A) => Effect.Effect<A>
    /** Sequence number of the newest event; 0 before the first. */
    readonly sequence: Effect.Effect<number>
    /**
     * Every event after the moment at which this effect returns. A listener costs nothing while it does not read, and
     * never slows a prober: one that is slow loses the oldest. A jump in the sequence shows that some were lost.
     */
    readonly subscribe: Effect.Effect<Stream.Stream<Event>>
    /** Every event after that sequence number, each once: those that are still kept, then those that come. */
    readonly subscribeFrom: (sequence: number) => Effect.Effect<Replay>
  }
>() {}

/** The bus during one synchronous step. */
export interface BusStep {
  /** Sequence number of the newest event; 0 before the first. */
  readonly sequence: () => number
  /** Stamps and delivers. */
  readonly tell: (body: EventBody) => Event
}

/** What follows a sequence number. */
export interface Replay {
  /**
   * What is not kept any more. After a sequence number that is not reached yet, and so is of another run, it is all
   * that this run has had so far, and the events are those that come.
   */
  readonly gap: Gap | undefined
  readonly events: Stream.Stream<Event>
}
