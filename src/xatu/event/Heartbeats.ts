import { Duration } from "effect"
import type { PeerView } from "../../domain/peer/PeerView.ts"
import { type Connection, connectedEvent, heartbeatEvent } from "./PeerEvents.ts"
import type { Sender, XatuEvent } from "./XatuEvent.ts"

/** Which peers are connected, and when the server was last told so by a heartbeat. */
export interface Heartbeats {
  /** The events that a peer's state at a moment calls for; `fresh` if the connection is a new one for certain. */
  readonly see: (peer: PeerView, now: number, fresh?: boolean) => ReadonlyArray<XatuEvent>
  /** The heartbeats that are due. */
  readonly due: (now: number) => Generator<XatuEvent>
}

/** A heartbeat whenever a peer connects or is known better, and then one every `interval` while it stays. */
export const makeHeartbeats = (sender: Sender, interval: Duration.Duration): Heartbeats => {
  const intervalMs = Duration.toMillis(interval)
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
