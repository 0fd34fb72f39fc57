import { Option } from "effect"
import { concatBytes, fromHex, uint64LittleEndian } from "../Bytes.ts"
import type { Block } from "../network/Block.ts"
import type { Slot } from "../Primitives.ts"
import type { Matrix } from "./Matrix.ts"
import { fuluFixedBytes, gloasFixedBytes, headerStart } from "./Sidecar.ts"
import type { SidecarView } from "./SidecarView.ts"

/** What all sidecars of a block have in common. */
export type SidecarFrame =
  | {
      readonly _tag: "Fulu"
      /** SignedBeaconBlockHeader: 112 bytes of the header, 96 of its signature. */
      readonly signedHeader: Uint8Array
      /** 48 bytes each, one behind the other. */
      readonly commitments: Uint8Array
      /** kzg_commitments_inclusion_proof: 4 nodes of 32 bytes, from the commitments upwards. */
      readonly inclusionProof: Uint8Array
    }
  | {
      readonly _tag: "Gloas"
      readonly slot: Slot
      /** 32 bytes. */
      readonly blockRoot: Uint8Array
    }

/**
 * get_data_column_sidecars (fulu/validator.md, gloas/validator.md): the SSZ of the sidecars of all columns of which the matrix
 * has a cell of every row, by column. No sidecars of a block without blobs.
 */
export const dataColumnSidecars = (
  frame: SidecarFrame,
  matrix: Matrix,
  blobs: number
): ReadonlyMap<number, Uint8Array> => {
  const columns = new Map<number, Map<number, Matrix[number]>>()
  for (const entry of matrix) {
    const column = columns.get(entry.columnIndex) ?? new Map<number, Matrix[number]>()
    columns.set(entry.columnIndex, column.set(entry.rowIndex, entry))
  }
  const out = new Map<number, Uint8Array>()
  for (const [index, rows] of [...columns].sort(([a], [b]) => a - b)) {
    const entries = Array.from({ length: blobs }, (_, row) => rows.get(row)).filter((entry) => entry !== undefined)
    if (blobs === 0 || entries.length !== blobs) continue
    const cells = concatBytes(entries.map(({ cell }) => cell))
    const proofs = concatBytes(entries.map(({ kzgProof }) => kzgProof))
    out.set(index, encode(frame, index, cells, proofs))
  }
  return out
}

/**
 * get_data_column_sidecars_from_column_sidecar: what another sidecar of the block, as it came, has in common with all
 * others. `view` is of the same bytes.
 */
export const frameOf = (view: SidecarView, ssz: Uint8Array): SidecarFrame =>
  view._tag === "Gloas"
    ? { _tag: "Gloas", slot: view.slot, blockRoot: view.blockRoot }
    : {
        _tag: "Fulu",
        signedHeader: ssz.subarray(headerStart, fuluFixedBytes - view.inclusionProof.length),
        commitments: view.commitments,
        inclusionProof: view.inclusionProof
      }

/**
 * What the sidecars of a block have in common, by the block itself (get_data_column_sidecars_from_block). None where the
 * host does not know its proof or, before Gloas, its signature.
 */
export const frameOfBlock = (block: Block): Option.Option<SidecarFrame> => {
  if (block.fork === "gloas") {
    return Option.some({ _tag: "Gloas", slot: block.slot, blockRoot: fromHex(block.root) })
  }
  const { commitments, proof, signature } = block
  if (proof === undefined || proof.branch.length === 0) return Option.none()
  return Option.map(signature, (signature) => ({
    _tag: "Fulu",
    signedHeader: concatBytes([
      uint64LittleEndian(block.slot),
      uint64LittleEndian(proof.proposerIndex),
      fromHex(block.parentRoot),
      proof.stateRoot,
      proof.bodyRoot,
      signature
    ]),
    commitments: concatBytes(commitments),
    inclusionProof: concatBytes(proof.branch)
  }))
}

const encode = (frame: SidecarFrame, index: number, cells: Uint8Array, proofs: Uint8Array): Uint8Array => {
  if (frame._tag === "Gloas") {
    const offsets = [gloasFixedBytes, gloasFixedBytes + cells.length].map(uint32)
    const fixed = [uint64LittleEndian(index), ...offsets, uint64LittleEndian(frame.slot), frame.blockRoot]
    return concatBytes([...fixed, cells, proofs])
  }
  const { commitments, inclusionProof, signedHeader } = frame
  const proofsAt = fuluFixedBytes + cells.length + commitments.length
  const offsets = [fuluFixedBytes, fuluFixedBytes + cells.length, proofsAt].map(uint32)
  return concatBytes([uint64LittleEndian(index), ...offsets, signedHeader, inclusionProof, cells, commitments, proofs])
}

const uint32 = (value: number): Uint8Array => {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value, true)
  return out
}
