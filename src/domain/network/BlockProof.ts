import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, toHex, uint64LittleEndian } from "../Bytes.ts"
import { commitmentsLeaf, merkleRoot, rootOfBranch } from "../column/Merkle.ts"
import type { Root, Slot } from "../Primitives.ts"
import { headerRoot } from "./HeaderRoot.ts"

/** What a block's root is made of beside slot, parent and commitments: with it the root can be computed from them again. */
export interface BlockProof {
  readonly proposerIndex: number
  /** 32 bytes each. */
  readonly stateRoot: Uint8Array
  readonly bodyRoot: Uint8Array
  /**
   * From the commitments up to the body root, 32 bytes each (depth 4); none from Gloas on, where the commitments are not a
   * field of the body.
   */
  readonly branch: ReadonlyArray<Uint8Array>
}

/** The root of a block by its header, and its body root by its commitments as far as the proof tells. */
export const provenRoot = (block: {
  readonly slot: Slot
  readonly parentRoot: Root
  readonly commitments: ReadonlyArray<Uint8Array>
  readonly proof: BlockProof
}): Root => {
  const { branch, bodyRoot, proposerIndex, stateRoot } = block.proof
  const body = branch.length === 0 ? bodyRoot : rootOfBranch(listRoot(block.commitments), branch, commitmentsLeaf)
  const numbers = [uint64LittleEndian(block.slot), uint64LittleEndian(proposerIndex)]
  return toHex(headerRoot(concatBytes([...numbers, fromHex(block.parentRoot), stateRoot, body])))
}

/** List[KZGCommitment, 4096]. */
const listDepth = 12

const listRoot = (commitments: ReadonlyArray<Uint8Array>): Uint8Array =>
  sha256(concatBytes([merkleRoot(commitments.map(commitmentRoot), listDepth), lengthChunk(commitments.length)]))

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
