import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, uint64LittleEndian } from "../Bytes.ts"
import { merkleRoot } from "./Merkle.ts"

/** hash_tree_root of List[KZGCommitment, 4096]; 48 bytes a commitment. */
export const commitmentsRoot = (commitments: ReadonlyArray<Uint8Array>): Uint8Array =>
  sha256(concatBytes([merkleRoot(commitments.map(commitmentRoot), listDepth), lengthChunk(commitments.length)]))

const listDepth = 12

/** 48 bytes are two chunks. */
const commitmentRoot = (commitment: Uint8Array): Uint8Array => {
  const chunks = new Uint8Array(64)
  chunks.set(commitment)
  return sha256(chunks)
}

const lengthChunk = (value: number): Uint8Array => {
  const chunk = new Uint8Array(32)
  chunk.set(uint64LittleEndian(value))
  return chunk
}
