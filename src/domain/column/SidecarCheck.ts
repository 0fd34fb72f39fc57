import { Option } from "effect"
import { equalBytes, sideBySide } from "../Bytes.ts"
import { bytesPerCell, numberOfColumns } from "../network/Chain.ts"
import { headerRoot } from "../network/HeaderRoot.ts"
import type { Slot } from "../Primitives.ts"
import type { InvalidCheck } from "../probe/Outcome.ts"
import { type BlockFrames, hasFrame } from "./BlockFrames.ts"
import { commitmentsRoot } from "./CommitmentsRoot.ts"
import { commitmentsLeaf, rootOfBranch } from "./Merkle.ts"
import { bytesPerCommitment, bytesPerProof } from "./Sidecar.ts"
import type { FuluView, SidecarView } from "./SidecarView.ts"

/** The canonical block that a sidecar must belong to. */
export interface ExpectedBlock {
  readonly slot: Slot
  /** 32 bytes. */
  readonly blockRoot: Uint8Array
  /** 48 bytes each, in row order. */
  readonly commitments: ReadonlyArray<Uint8Array>
  /** Blob limit at the slot's epoch. */
  readonly maxBlobsPerBlock: number
}

/** The check that a sidecar failed, and a sentence that says how. */
export interface FailedCheck {
  readonly check: InvalidCheck
  readonly detail: string
}

/**
 * Every check but the KZG proofs, cheapest first: structure, header, commitments, inclusion proof
 * (verify_data_column_sidecar and verify_data_column_sidecar_inclusion_proof, fulu/p2p-interface.md), and that the
 * sidecar is of the canonical block and no other. `none` when all hold. A Gloas sidecar has neither header nor
 * commitments of its own: it names its block, and has a cell for each commitment of the block's bid.
 *
 * `frames` spare the hashes that another sidecar of the block took already; the answer is the same without.
 */
export const checkSidecar = (
  sidecar: SidecarView,
  expected: ExpectedBlock,
  frames?: BlockFrames
): Option.Option<FailedCheck> => {
  // The canonical block stands above a limit that we may have wrong.
  const limit = Math.max(expected.maxBlobsPerBlock, expected.commitments.length)
  const failed = structureFailure(sidecar, limit) ?? blockFailure(sidecar, expected, frames)
  return Option.fromNullable(failed)
}

/** Of these checks the one that needs no block: `limit` is the most blobs that a block of its slot may have. */
export const checkStructure = (sidecar: SidecarView, limit: number): Option.Option<FailedCheck> =>
  Option.fromNullable(structureFailure(sidecar, limit))

/** The commitments of a Fulu sidecar, as views. */
export const commitmentsOf = ({ commitments }: FuluView): ReadonlyArray<Uint8Array> =>
  Array.from({ length: commitments.length / bytesPerCommitment }, (_, row) =>
    commitments.subarray(row * bytesPerCommitment, (row + 1) * bytesPerCommitment)
  )

const structureFailure = (sidecar: SidecarView, limit: number): FailedCheck | undefined => {
  const failed = (detail: string): FailedCheck => ({ check: "structure", detail })
  const { index } = sidecar
  const cells = sidecar.cells.length / bytesPerCell
  const proofs = sidecar.proofs.length / bytesPerProof
  if (index >= numberOfColumns) return failed(`its index is ${index}, but there are ${numberOfColumns} columns`)
  if (sidecar._tag === "Fulu") {
    const commitments = sidecar.commitments.length / bytesPerCommitment
    if (commitments === 0) return failed("it has no commitments")
    if (commitments > limit) return failed(`it has ${commitments} commitments, but a block has at most ${limit} blobs`)
    if (cells !== commitments) return failed(`it has ${cells} cells for ${commitments} commitments`)
  }
  if (cells === 0) return failed("it has no cells")
  return cells === proofs ? undefined : failed(`it has ${cells} cells, but ${proofs} proofs`)
}

const blockFailure = (
  sidecar: SidecarView,
  expected: ExpectedBlock,
  frames: BlockFrames | undefined
): FailedCheck | undefined => {
  if (sidecar._tag === "Gloas") {
    const cells = sidecar.cells.length / bytesPerCell
    const wanted = expected.commitments.length
    const failure = headerFailure(sidecar.blockRoot, sidecar.slot, expected)
    if (failure !== undefined || cells === wanted) return failure
    return { check: "commitments", detail: `it has ${cells} cells, the block has ${wanted} commitments` }
  }
  const frame = frames?.get(expected.blockRoot)
  const isFramed = frame !== undefined && hasFrame(sidecar, frame)
  const root = isFramed ? expected.blockRoot : headerRoot(sidecar.header)
  const failure = headerFailure(root, sidecar.slot, expected) ?? commitmentsFailure(sidecar, expected)
  if (failure !== undefined || isFramed) return failure
  const inclusion = inclusionFailure(sidecar)
  if (inclusion === undefined) frames?.set(expected.blockRoot, sidecar)
  return inclusion
}

const headerFailure = (root: Uint8Array, slot: Slot, expected: ExpectedBlock): FailedCheck | undefined => {
  const failed = (detail: string): FailedCheck => ({ check: "header", detail })
  if (!equalBytes(root, expected.blockRoot)) {
    const [own, canonical] = sideBySide(root, expected.blockRoot)
    return failed(`it is of block ${own}, the canonical block of its slot is ${canonical}`)
  }
  return slot === expected.slot ? undefined : failed(`it is of slot ${slot}, its block of slot ${expected.slot}`)
}

const commitmentsFailure = (sidecar: FuluView, { commitments }: ExpectedBlock): FailedCheck | undefined => {
  const failed = (detail: string): FailedCheck => ({ check: "commitments", detail })
  const given = sidecar.commitments.length / bytesPerCommitment
  const wanted = commitments.length
  if (given !== wanted) return failed(`it has ${given} commitments, the block has ${wanted}`)
  const row = commitments.findIndex((commitment, row) => !hasCommitment(sidecar, row, commitment))
  const [own, canonical] = [commitmentsOf(sidecar)[row], commitments[row]]
  if (own === undefined || canonical === undefined) return undefined
  const [theirs, ours] = sideBySide(own, canonical)
  return failed(`commitment ${row} is ${theirs}, the block has ${ours}`)
}

/** Without a view for each row. */
const hasCommitment = ({ commitments }: FuluView, row: number, commitment: Uint8Array): boolean => {
  const start = row * bytesPerCommitment
  if (commitment.length !== bytesPerCommitment) return false
  for (let at = 0; at < bytesPerCommitment; at++) if (commitments[start + at] !== commitment[at]) return false
  return true
}

const inclusionFailure = (sidecar: FuluView): FailedCheck | undefined => {
  if (inclusionProofHolds(sidecar)) return undefined
  const [root, wanted] = sideBySide(inclusionRoot(sidecar), bodyRoot(sidecar))
  return { check: "inclusion_proof", detail: `its proof leads to ${root}, the header has body root ${wanted}` }
}

/** verify_data_column_sidecar_inclusion_proof: whether its commitments are those of the block of its header. */
export const inclusionProofHolds = (sidecar: FuluView): boolean => equalBytes(inclusionRoot(sidecar), bodyRoot(sidecar))

/** The last 32 bytes of a header. */
const bodyRoot = ({ header }: FuluView): Uint8Array => header.subarray(header.length - 32)

const inclusionRoot = (sidecar: FuluView): Uint8Array =>
  rootOfBranch(
    commitmentsRoot(commitmentsOf(sidecar)),
    Array.from({ length: sidecar.inclusionProof.length / 32 }, (_, height) =>
      sidecar.inclusionProof.subarray(height * 32, (height + 1) * 32)
    ),
    commitmentsLeaf
  )
