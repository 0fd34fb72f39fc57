import { secp256k1 } from "@noble/curves/secp256k1.js"
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
