import { type Layer, ManagedRuntime, Stream } from "effect"
import { Dasmon, type Snapshot } from "./Dasmon.ts"
import type { EventOf, EventTag, Gap } from "./domain/Event.ts"
import type { EventFilter } from "./domain/EventFilter.ts"

/** The monitor for a host that does not use Effect. */
export interface AsyncMonitor {
  readonly snapshot: () => Promise<Snapshot>
  /**
   * The wanted events; leave the loop to stop listening. Nothing is held for a reader that is slow: when the bus does
   * not keep what comes next any more, a `Gap` stands for it.
   */
  readonly events: <Tag extends EventTag = EventTag>(options?: EventsOptions<Tag>) => AsyncIterable<EventOf<Tag> | Gap>
  /** Says Goodbye to the peers, writes the history down, and ends everything that was started. */
  readonly close: () => Promise<void>
}

export interface EventsOptions<Tag extends EventTag> extends EventFilter<Tag> {
  /** The sequence number after which to begin, as far back as the bus reaches; else from now on. */
  readonly since?: number
}

/** Starts the engine of `layer`; rejects with the layer's own error if it cannot be built. */
export const startAsync = async <E>(layer: Layer.Layer<Dasmon, E>): Promise<AsyncMonitor> => {
  const runtime = ManagedRuntime.make(layer)
  const { events, snapshot } = await runtime.runPromise(Dasmon)
  const live = await runtime.runtime()
  return {
    snapshot: () => runtime.runPromise(snapshot),
    events: ({ since = runtime.runSync(events.sequence), ...filter } = {}) =>
      Stream.toAsyncIterableRuntime(events.since(since, filter), live),
    close: () => runtime.dispose()
  }
}
