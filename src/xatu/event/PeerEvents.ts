import { randomUUID } from "node:crypto"
import type { CustodyUpdate } from "../../domain/Event.ts"
import { printable } from "../../domain/Text.ts"
import type { Sender, XatuEvent } from "./XatuEvent.ts"

/** A peer as long as it is connected. */
export interface Connection {
  readonly peerId: string
  readonly agent: string | null
  /** Multiaddr. */
  readonly address: string | null
  /** Unix milliseconds at which the connection was first seen. */
  readonly since: number
}

/** By this event the server learns which peer stands behind the key in its tables. */
export const connectedEvent = (sender: Sender, connection: Connection): XatuEvent => ({
  event: { name: "LIBP2P_TRACE_CONNECTED", date_time: connection.since, id: randomUUID() },
  meta: { client: { ...sender, libp2p_trace_connected: { metadata: { peer_id: connection.peerId } } } },
  libp2p_trace_connected: { remote_peer: connection.peerId, ...described(connection), opened: connection.since }
})

/** Readers take a peer's client and place from the heartbeat closest to a probe, at most five minutes away. */
export const heartbeatEvent = (sender: Sender, connection: Connection, now: number): XatuEvent => ({
  event: { name: "LIBP2P_TRACE_SYNTHETIC_HEARTBEAT", date_time: now, id: randomUUID() },
  meta: { client: { ...sender, libp2p_trace_synthetic_heartbeat: { metadata: { peer_id: connection.peerId } } } },
  libp2p_trace_synthetic_heartbeat: {
    timestamp: now,
    remote_peer: connection.peerId,
    ...described(connection),
    connection_age_ns: Math.min(Math.max(0, now - connection.since) * 1e6, Number.MAX_SAFE_INTEGER)
  }
})

/** What a peer says of itself: its Status, and its MetaData if there was one. */
export const claimEvents = (sender: Sender, { claim, peerId }: CustodyUpdate): ReadonlyArray<XatuEvent> => {
  const metadata = { metadata: { peer_id: peerId } }
  const status: XatuEvent = {
    event: { name: "LIBP2P_TRACE_HANDLE_STATUS", date_time: claim.observedAt, id: randomUUID() },
    meta: { client: { ...sender, libp2p_trace_handle_status: metadata } },
    libp2p_trace_handle_status: {
      peer_id: peerId,
      // Only the second version has an earliest available slot.
      protocol_id: protocol("status", claim.earliestAvailableSlot === null ? 1 : 2),
      response: {
        fork_digest: claim.forkDigest,
        head_slot: claim.headSlot,
        ...(claim.earliestAvailableSlot === null ? {} : { earliest_available_slot: claim.earliestAvailableSlot })
      },
      direction: "outbound"
    }
  }
  if (claim.sequenceNumber === null) return [status]
  return [
    status,
    {
      event: { name: "LIBP2P_TRACE_HANDLE_METADATA", date_time: claim.observedAt, id: randomUUID() },
      meta: { client: { ...sender, libp2p_trace_handle_metadata: metadata } },
      libp2p_trace_handle_metadata: {
        peer_id: peerId,
        ...(claim.source === "metadata" ? { protocol_id: protocol("metadata", 3) } : {}),
        metadata: {
          seq_number: claim.sequenceNumber,
          ...(claim.source === "metadata" ? { custody_group_count: claim.custodyGroupCount } : {})
        },
        direction: "outbound"
      }
    }
  ]
}

const protocol = (name: string, version: number): string => `/eth2/beacon_chain/req/${name}/${version}/ssz_snappy`

const described = ({ address, agent }: Connection) => ({
  ...(address === null ? {} : { remote_maddrs: printable(address, longest) }),
  ...(agent === null ? {} : { agent_version: printable(agent, longest) })
})

const longest = 500
