import { concatBytes, fromHex, toHex, uint64LittleEndian } from "../Bytes.ts"
import { commitmentsRoot } from "../column/CommitmentsRoot.ts"
import { commitmentsLeaf, rootOfBranch } from "../column/Merkle.ts"
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
  const body =
    branch.length === 0 ? bodyRoot : rootOfBranch(commitmentsRoot(block.commitments), branch, commitmentsLeaf)
  const numbers = [uint64LittleEndian(block.slot), uint64LittleEndian(proposerIndex)]
  return toHex(headerRoot(concatBytes([...numbers, fromHex(block.parentRoot), stateRoot, body])))
}
