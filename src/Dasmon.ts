import { Context, type Effect, Schema, type Scope, type Stream } from "effect"
import type { Event } from "./domain/Event.ts"
import { PeerView } from "./domain/Peer.ts"
import { Status } from "./domain/Status.ts"

/** The state of everything at one sequence number. */
export const Snapshot = Schema.Struct({
  sequence: Schema.Int,
  status: Status,
  peers: Schema.Array(PeerView)
})
export type Snapshot = typeof Snapshot.Type

/** The engine: what a host, the HTTP API or a test sees of the monitor. */
export class Dasmon extends Context.Tag("dasmon/Dasmon")<
  Dasmon,
  {
    readonly status: Effect.Effect<Status>
    readonly peers: Effect.Effect<ReadonlyArray<PeerView>>
    readonly snapshot: Effect.Effect<Snapshot>
    /** Every event from the moment at which the stream is run. */
    readonly events: Stream.Stream<Event>
    /** A snapshot and exactly the events after it. */
    readonly subscribe: Effect.Effect<
      { readonly snapshot: Snapshot; readonly events: Stream.Stream<Event> },
      never,
      Scope.Scope
    >
  }
>() {}
