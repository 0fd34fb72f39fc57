import * as Transferable from "@effect/platform/Transferable"
import { WorkerError } from "@effect/platform/WorkerError"
import { Schema } from "effect"
import { bytesPerCommitment, bytesPerProof } from "../domain/column/Sidecar.ts"
import { bytesPerCell } from "../domain/network/Chain.ts"
import { InvalidCheck } from "../domain/probe/Outcome.ts"
import type { Column } from "./Column.ts"
import { VerifierError } from "./Verifier.ts"
import type { ColumnGroup } from "./VerifyColumns.ts"

/** What a worker replies. */
const Verdict = Schema.Union(
  Schema.TaggedStruct("Valid", {}),
  Schema.TaggedStruct("Invalid", { check: InvalidCheck, detail: Schema.String }),
  Schema.TaggedStruct("Skipped", {})
)

/**
 * One batch on its way to a worker. Its bytes are packed in one buffer of its own, which is handed over and not copied
 * again: a view would take the whole buffer that it looks at with it, and the sidecars are still wanted here.
 */
export class VerifyBatch extends Schema.TaggedRequest<VerifyBatch>()("VerifyBatch", {
  success: Schema.Array(Verdict),
  // The platform passes its own failures through this schema too.
  failure: Schema.Union(VerifierError, WorkerError),
  payload: {
    /** The commitments of each block, then the cells and proofs of each column. */
    bytes: Transferable.Uint8Array,
    /** Blobs of each block. */
    blocks: Schema.Array(Schema.Int),
    /** Of each column its index and the place of its block. */
    columns: Schema.Array(Schema.Tuple(Schema.Int, Schema.Int)),
    /** In the order of the columns. `mostGuilty`: no limit if left out. */
    groups: Schema.Array(Schema.Struct({ columns: Schema.Int, mostGuilty: Schema.optional(Schema.Int) }))
  }
}) {}

/** Packs a batch. The sidecars' own buffers are only read. */
export const packBatch = (groups: ReadonlyArray<ColumnGroup>): VerifyBatch => {
  const all = groups.flatMap(({ columns }) => columns)
  const blocks = new Map<Column["commitments"], number>()
  for (const { commitments } of all) if (!blocks.has(commitments)) blocks.set(commitments, blocks.size)
  const size = [...blocks.keys()].reduce((sum, { length }) => sum + length * bytesPerCommitment, 0)
  const bytes = new Uint8Array(all.reduce((sum, { cells, proofs }) => sum + cells.length + proofs.length, size))
  let at = 0
  const put = (part: Uint8Array): void => {
    bytes.set(part, at)
    at += part.length
  }
  for (const commitments of blocks.keys()) commitments.forEach(put)
  for (const { cells, proofs } of all) {
    put(cells)
    put(proofs)
  }
  return new VerifyBatch({
    bytes,
    blocks: [...blocks.keys()].map(({ length }) => length),
    columns: all.map(({ commitments, index }) => [index, blocks.get(commitments) ?? 0] as const),
    groups: groups.map(({ columns, mostGuilty }) => ({
      columns: columns.length,
      ...(Number.isFinite(mostGuilty) ? { mostGuilty } : {})
    }))
  })
}

/** The batch that was packed, as views of the one buffer. */
export const unpackBatch = (batch: VerifyBatch): ReadonlyArray<ColumnGroup> => {
  let at = 0
  const take = (length: number): Uint8Array => batch.bytes.subarray(at, (at += length))
  const blocks = batch.blocks.map((blobs) => Array.from({ length: blobs }, () => take(bytesPerCommitment)))
  const columns = batch.columns.map(([index, block]): Column => {
    const commitments = blocks[block] ?? []
    const cells = take(commitments.length * bytesPerCell)
    return { index, commitments, cells, proofs: take(commitments.length * bytesPerProof) }
  })
  let next = 0
  return batch.groups.map(({ columns: count, mostGuilty = Infinity }) => ({
    columns: columns.slice(next, (next += count)),
    mostGuilty
  }))
}
