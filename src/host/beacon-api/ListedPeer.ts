import { Either, Option, Schema } from "effect"
import { decodeNodeRecord, type NodeRecord } from "../../domain/peer/NodeRecord.ts"
import { parsePeerAddress } from "../../domain/peer/PeerAddress.ts"
import type { PeerId } from "../../domain/Primitives.ts"

const orNull = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })

/** A peer as a beacon node lists it (`/eth/v1/node/peers`); what it does not say is `null`, or left empty. */
export const ListedPeer = Schema.Struct({
  /** `null`, or a text that is no ENR, from clients that do not know it. */
  enr: orNull,
  last_seen_p2p_address: orNull,
  direction: orNull
})
export type ListedPeer = typeof ListedPeer.Type

/** What is believed of it: a node that lists the record of another peer would have us dial, and judge by, the wrong one. */
export interface ReadPeer {
  readonly record: Option.Option<NodeRecord>
  /** Where the node saw it, without `/p2p/…`. */
  readonly seen: ReadonlyArray<string>
  /** It came to the node by itself: then it seldom listens where it was seen. */
  readonly isInbound: boolean
}

export const readListedPeer = (
  peerId: PeerId,
  { direction, enr, last_seen_p2p_address: seen }: ListedPeer
): ReadPeer => ({
  record: Option.flatMap(Option.fromNullable(enr), recordOf(peerId)),
  seen: seen === null ? [] : multiaddrsOf(seen, peerId),
  isInbound: direction?.toLowerCase() === "inbound"
})

/** What an ENR says; nothing of what is none, or another peer's. */
export const recordOf =
  (peerId: PeerId) =>
  (enr: string): Option.Option<NodeRecord> =>
    Option.filter(Either.getRight(decodeNodeRecord(enr)), (record) => record.peerId === peerId)

/** A multiaddr with or without its `/p2p/…`, and without it; nothing of what is none, or another peer's. */
export const multiaddrsOf = (text: string, peerId: PeerId): ReadonlyArray<string> =>
  Option.match(Either.getRight(parsePeerAddress(withPeerId(text, peerId))), {
    onNone: () => [],
    onSome: (address) => (address.peerId === peerId ? address.multiaddrs : [])
  })

const withPeerId = (address: string, peerId: PeerId): string =>
  address.includes("/p2p/") ? address : `${address.replace(/\/+$/, "")}/p2p/${peerId}`
