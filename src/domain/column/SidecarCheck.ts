import { type fulu, ssz as types } from "@lodestar/types"
import { Option } from "effect"
import { equalBytes, sideBySide } from "../Bytes.ts"
import { numberOfColumns } from "../network/Chain.ts"
import { commitmentsLeaf, rootOfBranch } from "./Merkle.ts"
import type { InvalidCheck } from "../probe/Outcome.ts"
import type { Sidecar } from "./Sidecar.ts"
import type { Slot } from "../Primitives.ts"

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
 */
export const checkSidecar = (sidecar: Sidecar, expected: ExpectedBlock): Option.Option<FailedCheck> =>
  // The canonical block stands above a limit that we may have wrong.
  checkStructure(sidecar, Math.max(expected.maxBlobsPerBlock, expected.commitments.length)).pipe(
    Option.orElse(() => checkHeader(sidecar, expected)),
    Option.orElse(() => checkCommitments(sidecar, expected)),
    Option.orElse(() => checkInclusionProof(sidecar))
  )

/** Of these checks the one that needs no block: `limit` is the most blobs that a block of its slot may have. */
export const checkStructure = ({ _tag, value }: Sidecar, limit: number): Option.Option<FailedCheck> => {
  const failed = (detail: string) => Option.some({ check: "structure" as const, detail })
  const cells = value.column.length
  const proofs = value.kzgProofs.length
  if (value.index >= numberOfColumns) {
    return failed(`its index is ${value.index}, but there are ${numberOfColumns} columns`)
  }
  if (_tag === "Fulu") {
    const commitments = value.kzgCommitments.length
    if (commitments === 0) return failed("it has no commitments")
    if (commitments > limit) return failed(`it has ${commitments} commitments, but a block has at most ${limit} blobs`)
    if (cells !== commitments) return failed(`it has ${cells} cells for ${commitments} commitments`)
  }
  if (cells === 0) return failed("it has no cells")
  return cells === proofs ? Option.none() : failed(`it has ${cells} cells, but ${proofs} proofs`)
}

const checkHeader = ({ _tag, value }: Sidecar, expected: ExpectedBlock): Option.Option<FailedCheck> => {
  const failed = (detail: string) => Option.some({ check: "header" as const, detail })
  const [root, slot] =
    _tag === "Gloas"
      ? [value.beaconBlockRoot, value.slot]
      : [
          types.phase0.BeaconBlockHeader.hashTreeRoot(value.signedBlockHeader.message),
          value.signedBlockHeader.message.slot
        ]
  if (!equalBytes(root, expected.blockRoot)) {
    const [own, canonical] = sideBySide(root, expected.blockRoot)
    return failed(`it is of block ${own}, the canonical block of its slot is ${canonical}`)
  }
  return slot === expected.slot ? Option.none() : failed(`it is of slot ${slot}, its block of slot ${expected.slot}`)
}

const checkCommitments = ({ _tag, value }: Sidecar, expected: ExpectedBlock): Option.Option<FailedCheck> => {
  const failed = (detail: string) => Option.some({ check: "commitments" as const, detail })
  const wanted = expected.commitments.length
  if (_tag === "Gloas") {
    return value.column.length === wanted
      ? Option.none()
      : failed(`it has ${value.column.length} cells, the block has ${wanted} commitments`)
  }
  const given = value.kzgCommitments
  if (given.length !== wanted) return failed(`it has ${given.length} commitments, the block has ${wanted}`)
  for (const [row, commitment] of expected.commitments.entries()) {
    const own = given[row] ?? new Uint8Array()
    if (equalBytes(own, commitment)) continue
    const [theirs, canonical] = sideBySide(own, commitment)
    return failed(`commitment ${row} is ${theirs}, the block has ${canonical}`)
  }
  return Option.none()
}

const checkInclusionProof = ({ _tag, value }: Sidecar): Option.Option<FailedCheck> => {
  if (_tag === "Gloas" || inclusionProofHolds(value)) return Option.none()
  const bodyRoot = value.signedBlockHeader.message.bodyRoot
  const [root, wanted] = sideBySide(inclusionRoot(value), bodyRoot)
  const detail = `its proof leads to ${root}, the header has body root ${wanted}`
  return Option.some({ check: "inclusion_proof", detail })
}

/** verify_data_column_sidecar_inclusion_proof: whether its commitments are those of the block of its header. */
export const inclusionProofHolds = (sidecar: fulu.DataColumnSidecar): boolean =>
  equalBytes(inclusionRoot(sidecar), sidecar.signedBlockHeader.message.bodyRoot)

const inclusionRoot = (sidecar: fulu.DataColumnSidecar): Uint8Array =>
  rootOfBranch(
    types.deneb.BlobKzgCommitments.hashTreeRoot(sidecar.kzgCommitments),
    sidecar.kzgCommitmentsInclusionProof,
    commitmentsLeaf
  )
