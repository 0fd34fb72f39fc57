import { Context, Data, type Effect, type Option, type Scope } from "effect"
import type { PeerId } from "../domain/Primitives.ts"

/** A message of a topic that we are on, as it came the first time. */
export interface GossipMessage {
  /** Who sent it to us; not who made it. */
  readonly from: PeerId
  /** Decompressed. */
  readonly data: Uint8Array
  /** The message's id (altair/p2p-interface.md): 20 bytes, hex without `0x`. */
  readonly id: string
}

/**
 * What is to be done with a message (gossipsub v1.1, "Extended Validators"): `accept` forwards it, `ignore` drops it,
 * `reject` drops it and holds it against whoever sent it. `unjudged` drops it, and has the next copy of it judged anew.
 */
export type GossipVerdict = "accept" | "ignore" | "unjudged" | "reject"

export interface Joining {
  /** Larger messages, in bytes after decompression, are dropped before anything of them is held. */
  readonly mostBytes: number
  /** Looks at a message, once however many send it. One that it has not decided on within eight seconds is `unjudged`. */
  readonly judge: (message: GossipMessage) => Effect.Effect<GossipVerdict>
  /** One more copy of a message, by its id, from another peer or again; also before it is judged. Must be quick. */
  readonly copied?: (id: string) => void
  /** One was not judged, since too much is under way: its bytes, where they were decompressed. Must be quick. */
  readonly dropped?: (data: Option.Option<Uint8Array>) => void
}

/** A message could not be published: gossip is not running. */
export class NotPublished extends Data.TaggedError("NotPublished")<{
  readonly topic: string
  readonly reason: string
}> {
  override get message(): string {
    return `not published on ${this.topic}: ${this.reason}`
  }
}

/**
 * The gossip of the node that the monitor speaks through. It is optional: without it nothing is joined, and what peers
 * subscribe to is not known.
 */
export class Gossip extends Context.Tag("dasmon/Gossip")<
  Gossip,
  {
    /** Is on a topic until the scope closes. Nothing of it is forwarded unless `judge` accepts it. */
    readonly join: (topic: string, joining: Joining) => Effect.Effect<void, never, Scope.Scope>
    /**
     * Sends a message of our own, uncompressed, to whoever is in the mesh of its topic, or else on it, whether we are on it or
     * not; gives how many peers that were. What was published or heard before is not sent again, which gives 0.
     */
    readonly publish: (topic: string, data: Uint8Array) => Effect.Effect<number, NotPublished>
    /** The column topics, under any fork digest, that a peer has said it is on; none if it is not connected. */
    readonly columnTopicsOf: (peerId: PeerId) => ReadonlyArray<string>
  }
>() {}
