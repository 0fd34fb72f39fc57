import { Context, Effect, Layer, type Option } from "effect"
import type { NodeRecord } from "../../domain/peer/NodeRecord.ts"
import type { PeerId } from "../../domain/Primitives.ts"

/** Where a peer can be dialled, as somebody else knows it. */
export interface Located {
  /** Without `/p2p/…`. */
  readonly multiaddrs: ReadonlyArray<string>
  readonly record: Option.Option<NodeRecord>
  /** Who said so, for a person. */
  readonly from: string
}

/** Finds peers of which only the id is known, and records of those that were named without one. */
export class Locator extends Context.Tag("dasmon/Locator")<
  Locator,
  {
    /** What is known of the peer, from those who may know, in order; it takes a few seconds at most. */
    readonly find: (peerId: PeerId) => Effect.Effect<ReadonlyArray<Located>>
  }
>() {
  /** Knows nobody. */
  static readonly layerNone = Layer.succeed(Locator, Locator.of({ find: () => Effect.succeed([]) }))
}

/** Of a peer that nobody has an address of. */
export const nobodyKnows = "neither the beacon node nor a database knows where it is"
