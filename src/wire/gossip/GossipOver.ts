import type { GossipSub } from "@libp2p/gossipsub"
import type { Connection } from "@libp2p/interface"

/**
 * Has gossip with a peer go on over this connection, if it does not go on anyway: `@libp2p/gossipsub` looks for a
 * connection when the first one comes, and forgets the peer when that one ends, though there may be another.
 */
export const gossipOver = (gossip: GossipSub, connection: Connection): void => {
  const onPeerConnected: unknown = Reflect.get(gossip, "onPeerConnected")
  if (typeof onPeerConnected !== "function") {
    throw new TypeError("this version of @libp2p/gossipsub has other parts (GossipOver.ts)")
  }
  Reflect.apply(onPeerConnected, gossip, [connection.remotePeer, connection])
}
