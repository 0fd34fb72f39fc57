import { keccak_256 } from "@noble/hashes/sha3.js"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { peerIdFromPublicKey, peerIdFromString } from "@libp2p/peer-id"
import { publicKeyFromRaw } from "@libp2p/crypto/keys"
import { Either, Schema } from "effect"
import { messageOf } from "../Text.ts"
import { PeerId } from "../Primitives.ts"

/** Why no node id can be had from a peer id. */
export class UnknownNodeId extends Schema.TaggedError<UnknownNodeId>()("UnknownNodeId", {
  peerId: PeerId,
  reason: Schema.String
}) {
  override get message(): string {
    return `no node id for peer ${this.peerId}: ${this.reason}`
  }
}

/**
 * The discv5 node id (keccak256 of the uncompressed public key, 32 bytes big-endian) of a libp2p peer id.
 *
 * Only an identity multihash of a secp256k1 key holds the key; RSA and Ed25519 peers have no node id.
 */
export const nodeIdOfPeerId = (peerId: PeerId): Either.Either<Uint8Array, UnknownNodeId> =>
  Either.try({
    try: () => {
      const key = peerIdFromString(peerId).publicKey
      if (key === undefined) throw new Error("it is a hash and does not hold the public key")
      if (key.type !== "secp256k1") throw new Error(`its key is ${key.type}, not secp256k1`)
      return nodeIdOfPublicKey(key.raw)
    },
    catch: (error) => new UnknownNodeId({ peerId, reason: messageOf(error) })
  })

/** Whether a text is a peer id in its usual form; every peer has one such name. */
export const isPeerId = (text: string): boolean => {
  // The longest, of an RSA or Ed25519 key, is much shorter; what a stranger sends may be of any length.
  if (text.length < 16 || text.length > 128) return false
  return Either.getOrElse(
    Either.try(() => peerIdFromString(text).toString() === text),
    () => false
  )
}

/** The node id of a compressed (33 bytes) or uncompressed (65 bytes) secp256k1 public key. */
export const nodeIdOfPublicKey = (publicKey: Uint8Array): Uint8Array =>
  keccak_256(secp256k1.Point.fromBytes(publicKey).toBytes(false).subarray(1))

/** The libp2p peer id of a compressed secp256k1 public key. */
export const peerIdOfPublicKey = (publicKey: Uint8Array): PeerId =>
  peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString()
