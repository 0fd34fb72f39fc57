import { sha256 } from "@noble/hashes/sha2.js"

/** The parent of two nodes of 32 bytes. */
const hashPair = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256.create().update(left).update(right).digest()

/** Place of blob_kzg_commitments among the 16 leaves of a block body, up to Fulu: its generalized index is 27. */
export const commitmentsLeaf = 11

/** The root over 32-byte chunks, filled up with zero chunks to `2 ** depth` of them (SSZ `merkleize`). */
export const merkleRoot = (chunks: ReadonlyArray<Uint8Array>, depth: number): Uint8Array => {
  let level = [...chunks]
  for (let height = 0; height < depth; height++) {
    const zero = zeroRoot(height)
    const parents: Array<Uint8Array> = []
    for (let index = 0; index < level.length; index += 2) {
      parents.push(hashPair(level[index] ?? zero, level[index + 1] ?? zero))
    }
    level = parents
  }
  return level[0] ?? zeroRoot(depth)
}

/** The root over `2 ** height` zero chunks. */
const zeroRoot = (height: number): Uint8Array => {
  for (let known = zeroRoots.length; known <= height; known++) {
    const below = zeroRoots[known - 1] ?? new Uint8Array(32)
    zeroRoots.push(hashPair(below, below))
  }
  return zeroRoots[height] ?? new Uint8Array(32)
}

/** By their height, as far as they were asked for: half of the hashes of a short list are these. */
const zeroRoots: Array<Uint8Array> = [new Uint8Array(32)]

/**
 * The root that `leaf` and its branch lead to (is_valid_merkle_branch, phase0/beacon-chain.md, before the comparison).
 * `index` is the leaf's place in its level; the branch goes from the leaf upwards.
 */
export const rootOfBranch = (leaf: Uint8Array, branch: ReadonlyArray<Uint8Array>, index: number): Uint8Array =>
  branch.reduce(
    (node, sibling, height) => ((index >> height) & 1 ? hashPair(sibling, node) : hashPair(node, sibling)),
    leaf
  )

/** The branch from the chunk at `index` to the root over `2 ** depth` chunks, from the leaf upwards. */
export const branchOf = (chunks: ReadonlyArray<Uint8Array>, depth: number, index: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: depth }, (_, height) => {
    const width = 2 ** height
    const start = ((index >> height) ^ 1) * width
    return merkleRoot(chunks.slice(start, start + width), height)
  })
