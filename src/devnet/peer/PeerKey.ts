import { secp256k1 } from "@noble/curves/secp256k1.js"
import { nodeIdOfPublicKey, peerIdOfPublicKey } from "../../domain/peer/NodeId.ts"
import { seeded } from "../chain/Random.ts"

/** Who a node is. */
export interface PeerKey {
  /** 32 bytes. */
  readonly privateKey: Uint8Array
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly peerId: string
}

/** The key that the seed gives to `owner`. It keeps nothing secret. */
export const peerKey = (seed: number, owner: string | number): PeerKey => {
  const privateKey = seeded(seed, "key", owner).bytes(32)
  const publicKey = secp256k1.getPublicKey(privateKey)
  return { privateKey, nodeId: nodeIdOfPublicKey(publicKey), peerId: peerIdOfPublicKey(publicKey) }
}
