import { multiaddr } from "@multiformats/multiaddr"
import { peerIdFromString } from "@libp2p/peer-id"
import { Either, Option, Schema } from "effect"
import { decodeNodeRecord, type NodeRecord } from "./NodeRecord.ts"
import { messageOf } from "../Text.ts"
import type { PeerId } from "../Primitives.ts"

/** How to reach a peer, and what is known of it before it was ever spoken to. */
export interface PeerAddress {
  readonly peerId: PeerId
  /** Without `/p2p/…`; empty for a peer that can only come to us. */
  readonly multiaddrs: ReadonlyArray<string>
  /** `cgc` of its ENR. */
  readonly enrCustodyGroupCount: Option.Option<number>
}

/** A text that names no peer we could dial. */
export class InvalidPeerAddress extends Schema.TaggedError<InvalidPeerAddress>()("InvalidPeerAddress", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** Reads an ENR (`enr:…`) or a multiaddr that ends in `/p2p/<peer id>`. */
export const parsePeerAddress = (text: string): Either.Either<PeerAddress, InvalidPeerAddress> =>
  text.trim().startsWith("enr:") ? fromRecord(text) : fromMultiaddr(text)

/** How to reach the node of a record; without multiaddrs where the record has no address to dial. */
export const addressOfRecord = ({ custodyGroupCount, multiaddrs, peerId }: NodeRecord): PeerAddress => ({
  peerId,
  multiaddrs,
  enrCustodyGroupCount: custodyGroupCount
})

const places: ReadonlySet<string> = new Set(["ip4", "ip6", "dns", "dns4", "dns6"])

const fromRecord = (text: string): Either.Either<PeerAddress, InvalidPeerAddress> =>
  decodeNodeRecord(text).pipe(
    Either.mapLeft((error) => new InvalidPeerAddress({ reason: error.message })),
    Either.filterOrLeft(
      (record) => record.multiaddrs.length > 0,
      () => new InvalidPeerAddress({ reason: "the ENR has no ip or ip6 with a quic or tcp port to dial" })
    ),
    Either.map(addressOfRecord)
  )

const fromMultiaddr = (text: string): Either.Either<PeerAddress, InvalidPeerAddress> =>
  Either.try({
    try: () => {
      const address = multiaddr(text.trim())
      const components = address.getComponents().filter(({ name }) => name !== "ip6zone")
      const [place, ...transport] = components.slice(0, -1).map(({ name }) => name)
      const peer = components.at(-1)
      const over = transport.join("/")
      if (peer?.name !== "p2p" || peer.value === undefined || (over !== "tcp" && over !== "udp/quic-v1")) {
        throw new Error("it is not /<ip or dns>/…/udp/<port>/quic-v1/p2p/<peer id>, nor /…/tcp/<port>/p2p/<peer id>")
      }
      if (place === undefined || !places.has(place)) {
        throw new Error("only ip4, ip6, dns, dns4 or dns6 can be dialled")
      }
      return {
        peerId: peerIdFromString(peer.value).toString(),
        multiaddrs: [address.decapsulate("/p2p").toString()],
        enrCustodyGroupCount: Option.none<number>()
      }
    },
    catch: (error) =>
      new InvalidPeerAddress({
        reason: `neither an ENR nor a multiaddr to dial: ${messageOf(error)}`
      })
  })
