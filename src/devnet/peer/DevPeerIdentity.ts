import { SignableENR } from "@chainsafe/enr"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { bigEndian, fromHex } from "../../domain/Bytes.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { digestEpochs, enrForkIdAt } from "../../domain/network/EnrForkId.ts"
import type { ListeningPorts } from "../../domain/peer/ListeningPorts.ts"
import { nodeIdOfPublicKey, peerIdOfPublicKey } from "../../domain/peer/NodeId.ts"
import { seeded } from "../chain/Random.ts"

/** Who a node of the devnet is. */
export interface DevPeerIdentity {
  /** 32 bytes, secp256k1. */
  readonly privateKey: Uint8Array
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly peerId: string
}

/** The identity that the seed gives to `owner`. Its key is no secret. */
export const identityOf = (seed: number, owner: string | number): DevPeerIdentity => {
  const privateKey = seeded(seed, "key", owner).bytes(32)
  const publicKey = secp256k1.getPublicKey(privateKey)
  return { privateKey, nodeId: nodeIdOfPublicKey(publicKey), peerId: peerIdOfPublicKey(publicKey) }
}

/** What a node says of itself in its ENR. */
export interface EnrParts {
  /** 32 bytes, secp256k1. */
  readonly privateKey: Uint8Array
  /** On 127.0.0.1; none for a node that does not listen. */
  readonly ports: ListeningPorts
  /** The epoch that the clock shows. */
  readonly epoch: number
  /** `0x` and 8 digits. */
  readonly forkDigest: string
  readonly custodyGroupCount: number
  /** How often the node has changed its ENR by itself; steps of the network add to it. */
  readonly changes: number
}

/** The signed ENR of a node (fulu/p2p-interface.md, "ENR structure"), as text. */
export const encodeEnr = (chain: ChainParameters, parts: EnrParts): string => {
  const enr = SignableENR.createV4(parts.privateKey, {
    ...enrForkIdAt(chain, parts.epoch, fromHex(parts.forkDigest)),
    attnets: new Uint8Array(8),
    syncnets: new Uint8Array(1),
    cgc: bigEndian(parts.custodyGroupCount)
  })
  const { quic, tcp } = parts.ports
  if (quic !== undefined || tcp !== undefined) enr.ip = "127.0.0.1"
  if (quic !== undefined) enr.quic = quic
  if (tcp !== undefined) enr.tcp = tcp
  const steps = digestEpochs(chain).filter((epoch) => epoch <= parts.epoch)
  enr.seq = BigInt(1 + parts.changes + steps.length)
  return enr.encodeTxt()
}
