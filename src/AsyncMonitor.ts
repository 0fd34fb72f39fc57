import { type Layer, ManagedRuntime, Stream } from "effect"
import { Dasmon, type Snapshot } from "./Dasmon.ts"
import type { Event } from "./domain/Event.ts"

/** The monitor for a host that does not use Effect. */
export interface AsyncMonitor {
  readonly snapshot: () => Promise<Snapshot>
  /** Every event from now on; leave the loop to stop listening. A reader that is slow loses the oldest. */
  readonly events: () => AsyncIterable<Event>
  /** Says Goodbye to the peers, writes the history down, and ends everything that was started. */
  readonly close: () => Promise<void>
}

/** Starts the engine of `layer`; rejects with the layer's own error if it cannot be built. */
export const startAsync = async <E>(layer: Layer.Layer<Dasmon, E>): Promise<AsyncMonitor> => {
  const runtime = ManagedRuntime.make(layer)
  const dasmon = await runtime.runPromise(Dasmon)
  const live = await runtime.runtime()
  return {
    snapshot: () => runtime.runPromise(dasmon.snapshot),
    events: () => Stream.toAsyncIterableRuntime(dasmon.events, live),
    close: () => runtime.dispose()
  }
}
