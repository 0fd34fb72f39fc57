import { type electra, type fulu, type gloas, ssz } from "@lodestar/types"
import { toHex } from "../../domain/Bytes.ts"
import type { Root } from "../../domain/Primitives.ts"
import { type ChainParameters, epochOf, forkAt } from "../../domain/network/Chain.ts"
import type { BlobPool } from "./BlobPool.ts"
import { allColumns } from "./PartialBlocks.ts"
import { headerSigningRoot } from "../../domain/network/SigningRoot.ts"
import { seeded } from "./Random.ts"
import { proposerOf, signAs } from "./Validators.ts"

/** A block of the devnet, with all that its sidecars are made of. */
export interface DevBlock {
  readonly slot: number
  readonly root: Root
  readonly fork: "electra" | "fulu" | "gloas"
  /** The SSZ of SignedBeaconBlock. */
  readonly ssz: Uint8Array
  readonly header: fulu.DataColumnSidecar["signedBlockHeader"]
  /** Of its execution payload, and of the one that this is built upon; 32 bytes each. Every payload is revealed. */
  readonly blockHash: Uint8Array
  readonly parentHash: Uint8Array
  /** body.blob_kzg_commitments, from Gloas on those of the bid: one for each of `blobs`. */
  readonly commitments: ReadonlyArray<Uint8Array>
  /** Indices into the pool, in row order. */
  readonly blobs: ReadonlyArray<number>
  /** Its columns that were published: nobody has any of the others. */
  readonly published: ReadonlySet<number>
  /** kzg_commitments_inclusion_proof: four nodes, leaf side first; none from Gloas on. */
  readonly inclusionProof: ReadonlyArray<Uint8Array>
}

/** Of whatever fork: that of Gloas says nothing that is not in it. */
export type Sidecar = fulu.DataColumnSidecar

/** What determines a block. The same parts give the same block, whenever it is made. */
export interface BlockParts {
  readonly seed: number
  readonly slot: number
  /** 32 bytes. */
  readonly parentRoot: Uint8Array
  /** 32 bytes: `blockHash` of the parent. */
  readonly parentHash: Uint8Array
  /** `0` for the first block of the slot; another one for each block that competes with it. */
  readonly variant: string | number
  readonly blobs: ReadonlyArray<number>
  /** All of its columns if left out; of no consequence for its root. */
  readonly published?: ReadonlySet<number> | undefined
  /** Whether its proposer signs it, when somebody first looks; what nobody judges by its signature has mere bytes there. */
  readonly isSigned?: boolean
}

/**
 * Makes the block: true SSZ, roots and inclusion proof. Only the state root is mere bytes, and so is the signature unless
 * it is asked for; the execution payload holds no transactions. Blocks of Electra and Fulu have the same form; those of Gloas have a bid in the
 * payload's place.
 */
export const makeBlock = (chain: ChainParameters, pool: BlobPool, parts: BlockParts): DevBlock => {
  const random = seeded(parts.seed, "block", parts.slot, parts.variant)
  const fork = forkOf(chain, parts.slot)
  const commitments = parts.blobs.flatMap((index) => pool[index]?.commitment ?? [])
  const { blockHash, bodyRoot, inclusionProof, signed } =
    fork === "gloas" ? gloasBody(parts, commitments, random.bytes) : electraBody(parts, commitments, random.bytes)
  const message = {
    slot: parts.slot,
    proposerIndex: proposerOf(parts.seed, parts.slot),
    parentRoot: parts.parentRoot,
    stateRoot: random.bytes(32)
  }
  const header = { ...message, bodyRoot }
  const root = ssz.phase0.BeaconBlockHeader.hashTreeRoot(header)
  const mereBytes = random.bytes(96)
  const signature = lazily(() =>
    parts.isSigned === true
      ? signAs(parts.seed, message.proposerIndex, headerSigningRoot(chain, parts.slot, root))
      : mereBytes
  )
  const encoded = lazily(() => signed(message, signature()))
  return {
    slot: parts.slot,
    root: toHex(root),
    fork,
    get ssz() {
      return encoded()
    },
    header: {
      message: header,
      get signature() {
        return signature()
      }
    },
    blockHash,
    parentHash: parts.parentHash,
    commitments,
    blobs: parts.blobs,
    published: parts.published ?? allColumns,
    inclusionProof
  }
}

const forkOf = (chain: ChainParameters, slot: number): DevBlock["fork"] => {
  const { name } = forkAt(chain, epochOf(chain, slot))
  return name === "gloas" || name === "fulu" ? name : "electra"
}

/** One column of a block that carries blobs. */
export const sidecarOf = (pool: BlobPool, block: DevBlock, column: number): Sidecar => ({
  index: column,
  column: block.blobs.flatMap((index) => pool[index]?.cells[column] ?? []),
  kzgCommitments: [...block.commitments],
  kzgProofs: block.blobs.flatMap((index) => pool[index]?.proofs[column] ?? []),
  signedBlockHeader: block.header,
  kzgCommitmentsInclusionProof: [...block.inclusionProof]
})

/** The SSZ of a sidecar, in the form that it has in a block of this fork. */
export const encodeSidecar = (fork: DevBlock["fork"], sidecar: Sidecar): Uint8Array => {
  if (fork !== "gloas") return ssz.fulu.DataColumnSidecar.serialize(sidecar)
  const { column, index, kzgProofs, signedBlockHeader } = sidecar
  const { message } = signedBlockHeader
  const beaconBlockRoot = ssz.phase0.BeaconBlockHeader.hashTreeRoot(message)
  return ssz.gloas.DataColumnSidecar.serialize({ index, column, kzgProofs, slot: message.slot, beaconBlockRoot })
}

/** Whether columns of this block exist. */
export const hasSidecars = (block: DevBlock): boolean => block.fork !== "electra" && block.blobs.length > 0

/** Signing takes long, and most blocks are never looked at. */
const lazily = <A>(compute: () => A): (() => A) => {
  let known: A | undefined
  return () => (known ??= compute())
}

/** The generalized index of body.blob_kzg_commitments: field 11 of 16 leaves. */
const commitmentsIndex = 27

/** What of a block depends on the form of its body. */
interface Body {
  readonly bodyRoot: Uint8Array
  readonly blockHash: Uint8Array
  readonly inclusionProof: ReadonlyArray<Uint8Array>
  /** The SSZ of SignedBeaconBlock. */
  readonly signed: (message: Omit<electra.BeaconBlock, "body">, signature: Uint8Array) => Uint8Array
}

type MakeBody = (
  parts: BlockParts,
  commitments: ReadonlyArray<Uint8Array>,
  bytes: (count: number) => Uint8Array
) => Body

const graffitiOf = ({ slot, variant }: BlockParts): Uint8Array => {
  const graffiti = new Uint8Array(32)
  graffiti.set(new TextEncoder().encode(`devnet ${slot} ${variant}`).subarray(0, 32))
  return graffiti
}

const gasLimit = 45_000_000

const electraBody: MakeBody = (parts, commitments, bytes) => {
  const empty = ssz.electra.BeaconBlockBody.defaultValue()
  const randaoReveal = bytes(96)
  const blockHash = bytes(32)
  const body: electra.BeaconBlockBody = {
    ...empty,
    randaoReveal,
    graffiti: graffitiOf(parts),
    executionPayload: {
      ...empty.executionPayload,
      parentHash: parts.parentHash,
      blockHash,
      stateRoot: bytes(32),
      blockNumber: parts.slot,
      gasLimit
    },
    blobKzgCommitments: [...commitments]
  }
  const tree = ssz.electra.BeaconBlockBody.toView(body)
  return {
    bodyRoot: tree.hashTreeRoot(),
    blockHash,
    inclusionProof: branchOf(tree.node, commitmentsIndex),
    signed: (message, signature) =>
      ssz.electra.SignedBeaconBlock.serialize({ message: { ...message, body }, signature })
  }
}

const gloasBody: MakeBody = (parts, commitments, bytes) => {
  const empty = ssz.gloas.BeaconBlockBody.defaultValue()
  const randaoReveal = bytes(96)
  const blockHash = bytes(32)
  const bid = {
    ...empty.signedExecutionPayloadBid.message,
    parentBlockHash: parts.parentHash,
    parentBlockRoot: parts.parentRoot,
    blockHash,
    gasLimit: BigInt(gasLimit),
    slot: parts.slot,
    blobKzgCommitments: [...commitments]
  }
  const body: gloas.BeaconBlockBody = {
    ...empty,
    randaoReveal,
    graffiti: graffitiOf(parts),
    signedExecutionPayloadBid: { message: bid, signature: bytes(96) }
  }
  return {
    bodyRoot: ssz.gloas.BeaconBlockBody.hashTreeRoot(body),
    blockHash,
    inclusionProof: [],
    signed: (message, signature) => ssz.gloas.SignedBeaconBlock.serialize({ message: { ...message, body }, signature })
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
