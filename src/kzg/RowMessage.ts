import * as Transferable from "@effect/platform/Transferable"
import { WorkerError } from "@effect/platform/WorkerError"
import { Schema } from "effect"
import { concatBytes } from "../domain/Bytes.ts"
import { bytesPerCommitment } from "../domain/column/Sidecar.ts"
import { bytesPerCell } from "../domain/network/Chain.ts"
import type { BlobClaim, RowPart } from "./ProveRow.ts"
import { VerifierError } from "./Verifier.ts"

// The platform passes its own failures through this schema too.
const failure = Schema.Union(VerifierError, WorkerError)

/** One row on its way to a thread, which takes the one buffer of its bytes over. */
export class RecoverRow extends Schema.TaggedRequest<RecoverRow>()("RecoverRow", {
  /** The 128 cells and then their 128 proofs; null where no row of this commitment comes of the cells. */
  success: Schema.NullOr(Transferable.Uint8Array),
  failure,
  payload: {
    /** The commitment, then the cells. */
    bytes: Transferable.Uint8Array,
    columns: Schema.Array(Schema.Int)
  }
}) {}

/** One blob on its way to a thread, to be held against its commitment. */
export class CheckBlob extends Schema.TaggedRequest<CheckBlob>()("CheckBlob", {
  success: Schema.Boolean,
  failure,
  payload: {
    /** The commitment, then the blob. */
    bytes: Transferable.Uint8Array
  }
}) {}

/** The row's own buffers are only read. */
export const packRow = ({ cells, columns, commitment }: RowPart): RecoverRow =>
  new RecoverRow({ bytes: concatBytes([commitment, ...cells]), columns: [...columns] })

export const unpackRow = ({ bytes, columns }: RecoverRow): RowPart => ({
  commitment: bytes.subarray(0, bytesPerCommitment),
  columns,
  cells: columns.map((_, at) => {
    const start = bytesPerCommitment + at * bytesPerCell
    return bytes.subarray(start, start + bytesPerCell)
  })
})

export const packBlob = ({ blob, commitment }: BlobClaim): CheckBlob =>
  new CheckBlob({ bytes: concatBytes([commitment, blob]) })

export const unpackBlob = ({ bytes }: CheckBlob): BlobClaim => ({
  commitment: bytes.subarray(0, bytesPerCommitment),
  blob: bytes.subarray(bytesPerCommitment)
})
