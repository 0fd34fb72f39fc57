import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { PeerDisconnected, PeerRefused, ProbeTimeout, RequestError } from "../domain/probe/Outcome.ts"
import type { PeerId } from "../domain/Primitives.ts"
import type { ResponseStream } from "../wire/Client.ts"
import type { RequestMessage } from "../wire/Message.ts"

/** A peer that the node is connected to. */
export interface ConnectedPeer {
  readonly peerId: PeerId
  /** The remote multiaddr of the connection. */
  readonly address: string
  /** The agent string of identify; none until it is known. */
  readonly agent: Option.Option<string>
}

export type HostEvent =
  | { readonly _tag: "Connected"; readonly peer: ConnectedPeer }
  /** The last connection to the peer is gone. `goodbye` is the code of a Goodbye that it sent before, if any. */
  | { readonly _tag: "Disconnected"; readonly peerId: PeerId; readonly goodbye: Option.Option<number> }

/** The peer was not dialled: our own dials, or what the machine allows, stood in the way. It says nothing of the peer. */
export class NotDialled extends Schema.TaggedError<NotDialled>()("NotDialled", {
  /** A sentence for a person. */
  detail: Schema.String
}) {
  override get message(): string {
    return `not dialled: ${this.detail}`
  }
}

/** Why a peer could not be reached. */
export type DialError = ProbeTimeout | PeerDisconnected | PeerRefused | NotDialled

/**
 * The libp2p node that the monitor speaks through. Standalone it is our own (`Libp2pHost.layer`); a custom host gives
 * the node that it already runs.
 */
export class Host extends Context.Tag("dasmon/Host")<
  Host,
  {
    readonly peerId: PeerId
    /** Listening addresses, with `/p2p/…`. */
    readonly multiaddrs: ReadonlyArray<string>
    /**
     * Dials unless connected, and waits (bounded) for identify. The time limit of a dial begins with the dial itself and
     * not while it waits for its turn, which is bounded too; whatever is not about the peer is `NotDialled`.
     */
    readonly connect: (address: PeerAddress) => Effect.Effect<ConnectedPeer, DialError>
    /** Sends Goodbye with `code`, bounded in time, and closes every connection to the peer. */
    readonly disconnect: (peerId: PeerId, code: number) => Effect.Effect<void>
    /**
     * Opens one stream, writes the request, half-closes and gives the answer. The stream is closed with the scope:
     * reset unless its answer was read to the end. The peer must be connected.
     */
    readonly request: (
      peerId: PeerId,
      message: RequestMessage
    ) => Effect.Effect<ResponseStream, RequestError, Scope.Scope>
    /** Connected peers, now; those too that were there before anyone asked. */
    readonly connected: Effect.Effect<ReadonlyArray<ConnectedPeer>>
    /**
     * Comings and goings from the moment that this effect returns. Whoever was connected before is only in `connected`:
     * subscribe first and read that then, and nobody is missed, though one may be met twice.
     */
    readonly events: Effect.Effect<Stream.Stream<HostEvent>, never, Scope.Scope>
  }
>() {}
