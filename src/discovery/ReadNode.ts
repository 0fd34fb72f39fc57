import { Either, Option } from "effect"
import { type InvalidNodeRecord, decodeNodeRecord, type NodeRecord } from "../domain/peer/NodeRecord.ts"
import { addressOfRecord, type InvalidPeerAddress, parsePeerAddress } from "../domain/peer/PeerAddress.ts"
import type { DiscoverySource, NodeFound } from "./Discovery.ts"

/** A node as it is written: an ENR, or a multiaddr that ends in `/p2p/<peer id>`. It has an address to dial. */
export const readNode = (
  text: string,
  source: DiscoverySource
): Either.Either<NodeFound, InvalidPeerAddress | InvalidNodeRecord> => {
  if (!text.trim().startsWith("enr:")) return Either.map(parsePeerAddress(text), (address) => ({ address, source }))
  return Either.flatMap(decodeNodeRecord(text), (record) => {
    const node = nodeOfRecord(record, source)
    // It says why.
    return Option.isSome(node)
      ? Either.right(node.value)
      : Either.map(parsePeerAddress(text), (address) => ({ address, source, enr: record.enr, seq: record.seq }))
  })
}

/** The node of an ENR; none if it has no address to dial. */
export const nodeOfRecord = (record: NodeRecord, source: DiscoverySource): Option.Option<NodeFound> =>
  record.multiaddrs.length === 0
    ? Option.none()
    : Option.some({
        address: addressOfRecord(record),
        source,
        enr: record.enr,
        seq: record.seq
      })
