import { Option } from "effect"
import { equalBytes } from "../Bytes.ts"
import { sha256 } from "@noble/hashes/sha2.js"

/** kzg_commitment_to_versioned_hash (deneb/beacon-chain.md): how transactions name a blob; 32 bytes, of a commitment of 48. */
export const versionedHash = (commitment: Uint8Array): Uint8Array => {
  const hash = sha256(commitment)
  hash[0] = versionedHashVersionKzg
  return hash
}

const versionedHashVersionKzg = 1

/** The row of the blob that a versioned hash names, by the commitments of its block; the first where two blobs are alike. */
export const rowOfVersionedHash = (commitments: ReadonlyArray<Uint8Array>, hash: Uint8Array): Option.Option<number> => {
  const row = commitments.findIndex((commitment) => equalBytes(versionedHash(commitment), hash))
  return row < 0 ? Option.none() : Option.some(row)
}
