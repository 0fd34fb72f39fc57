import { type electra, type fulu, ssz } from "@lodestar/types"
import { toHex } from "../../domain/Bytes.ts"
import type { Root } from "../../domain/Primitives.ts"
import { type ChainParameters, epochOf, forkEpoch } from "../../domain/network/Chain.ts"
import type { BlobPool } from "./BlobPool.ts"
import { seeded } from "./Random.ts"

/** A block of the devnet, with all that its sidecars are made of. */
export interface DevBlock {
  readonly slot: number
  readonly root: Root
  readonly fork: "electra" | "fulu"
  /** The SSZ of SignedBeaconBlock. */
  readonly ssz: Uint8Array
  readonly header: fulu.DataColumnSidecar["signedBlockHeader"]
  /** body.blob_kzg_commitments: one for each of `blobs`. */
  readonly commitments: ReadonlyArray<Uint8Array>
  /** Indices into the pool, in row order. */
  readonly blobs: ReadonlyArray<number>
  /** kzg_commitments_inclusion_proof: four nodes, leaf side first. */
  readonly inclusionProof: ReadonlyArray<Uint8Array>
}

export type Sidecar = fulu.DataColumnSidecar

/** What determines a block. The same parts give the same block, whenever it is made. */
export interface BlockParts {
  readonly seed: number
  readonly slot: number
  /** 32 bytes. */
  readonly parentRoot: Uint8Array
  /** `0` for the first block of the slot; another one for each block that competes with it. */
  readonly variant: string | number
  readonly blobs: ReadonlyArray<number>
}

/**
 * Makes the block: true SSZ, roots and inclusion proof. Only the signature and the state root are mere bytes, and the
 * execution payload holds no transactions. Blocks of Electra and Fulu have the same form.
 */
export const makeBlock = (chain: ChainParameters, pool: BlobPool, parts: BlockParts): DevBlock => {
  const random = seeded(parts.seed, "block", parts.slot, parts.variant)
  const fork = epochOf(chain, parts.slot) < forkEpoch(chain, "fulu") ? "electra" : "fulu"
  const commitments = parts.blobs.flatMap((index) => pool[index]?.commitment ?? [])
  const body = blockBody(parts, commitments, random.bytes)
  const tree = ssz.electra.BeaconBlockBody.toView(body)
  const message = {
    slot: parts.slot,
    proposerIndex: random.below(validators),
    parentRoot: parts.parentRoot,
    stateRoot: random.bytes(32)
  }
  const signature = random.bytes(96)
  const header = { ...message, bodyRoot: tree.hashTreeRoot() }
  return {
    slot: parts.slot,
    root: toHex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(header)),
    fork,
    ssz: ssz.electra.SignedBeaconBlock.serialize({ message: { ...message, body }, signature }),
    header: { message: header, signature },
    commitments,
    blobs: parts.blobs,
    inclusionProof: branchOf(tree.node, commitmentsIndex)
  }
}

/** One column of a block of Fulu that carries blobs. */
export const sidecarOf = (pool: BlobPool, block: DevBlock, column: number): Sidecar => ({
  index: column,
  column: block.blobs.flatMap((index) => pool[index]?.cells[column] ?? []),
  kzgCommitments: [...block.commitments],
  kzgProofs: block.blobs.flatMap((index) => pool[index]?.proofs[column] ?? []),
  signedBlockHeader: block.header,
  kzgCommitmentsInclusionProof: [...block.inclusionProof]
})

/** The SSZ of a Fulu sidecar. */
export const encodeSidecar = (sidecar: Sidecar): Uint8Array => ssz.fulu.DataColumnSidecar.serialize(sidecar)

/** Whether columns of this block exist. */
export const hasSidecars = (block: DevBlock): boolean => block.fork === "fulu" && block.blobs.length > 0

/** Validators of the devnet: what proposer indices are below. */
const validators = 1024
/** The generalized index of body.blob_kzg_commitments: field 11 of 16 leaves. */
const commitmentsIndex = 27

const blockBody = (
  parts: BlockParts,
  commitments: ReadonlyArray<Uint8Array>,
  bytes: (count: number) => Uint8Array
): electra.BeaconBlockBody => {
  const body = ssz.electra.BeaconBlockBody.defaultValue()
  const graffiti = new Uint8Array(32)
  graffiti.set(new TextEncoder().encode(`devnet ${parts.slot} ${parts.variant}`).subarray(0, 32))
  return {
    ...body,
    randaoReveal: bytes(96),
    graffiti,
    executionPayload: {
      ...body.executionPayload,
      parentHash: bytes(32),
      blockHash: bytes(32),
      stateRoot: bytes(32),
      blockNumber: parts.slot,
      gasLimit: 45_000_000
    },
    blobKzgCommitments: [...commitments]
  }
}

/** A node of a Merkle tree. */
interface TreeNode {
  readonly left: TreeNode
  readonly right: TreeNode
  readonly root: Uint8Array
}

/** The siblings on the way from the node with this generalized index to the root. */
const branchOf = (root: TreeNode, index: number): ReadonlyArray<Uint8Array> => {
  const branch: Array<Uint8Array> = []
  let node = root
  for (let bit = Math.floor(Math.log2(index)) - 1; bit >= 0; bit--) {
    const right = ((index >> bit) & 1) === 1
    branch.unshift((right ? node.left : node.right).root)
    node = right ? node.right : node.left
  }
  return branch
}
