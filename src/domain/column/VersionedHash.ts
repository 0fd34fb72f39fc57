import { sha256 } from "@noble/hashes/sha2.js"

/** kzg_commitment_to_versioned_hash (deneb/beacon-chain.md): how transactions name a blob; 32 bytes, of a commitment of 48. */
export const versionedHash = (commitment: Uint8Array): Uint8Array => {
  const hash = sha256(commitment)
  hash[0] = versionedHashVersionKzg
  return hash
}

const versionedHashVersionKzg = 1
