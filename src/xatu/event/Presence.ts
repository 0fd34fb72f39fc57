import type { PeerView } from "../../domain/peer/Peer.ts"
import { type Connection, connectedEvent, heartbeatEvent } from "./PeerEvents.ts"
import type { Sender, XatuEvent } from "./XatuEvent.ts"

/** Who is connected, and when the server was last told so. */
export interface Presence {
  /** What follows from what is known of a peer at a moment; `fresh` if the connection is a new one for certain. */
  readonly see: (peer: PeerView, now: number, fresh?: boolean) => ReadonlyArray<XatuEvent>
  /** The heartbeats that are due. */
  readonly due: (now: number) => Generator<XatuEvent>
}

/** A heartbeat whenever a peer connects or is known better, and then one every `intervalMs` while it stays. */
export const makePresence = (sender: Sender, intervalMs: number): Presence => {
  const connections = new Map<string, Connection & { readonly toldAt: number }>()
  return {
    see: ({ address, agent, connected, peerId }, now, fresh = false) => {
      const before = connections.get(peerId)
      if (!connected) {
        connections.delete(peerId)
        return []
      }
      const isNew = fresh || before === undefined
      if (!isNew && before.agent === agent && before.address === address) return []
      const connection = { peerId, agent, address, since: isNew ? now : before.since }
      connections.set(peerId, { ...connection, toldAt: now })
      const heartbeat = heartbeatEvent(sender, connection, now)
      return isNew ? [connectedEvent(sender, connection), heartbeat] : [heartbeat]
    },
    due: function* (now) {
      for (const [peerId, connection] of connections) {
        if (now - connection.toldAt < intervalMs) continue
        connections.set(peerId, { ...connection, toldAt: now })
        yield heartbeatEvent(sender, connection, now)
      }
    }
  }
}
