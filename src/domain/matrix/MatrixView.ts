import { Schema } from "effect"
import { CanonicalSlot } from "../report/SlotDetail.ts"
import { PeerId, Root, Slot } from "../Primitives.ts"

/** How cells came to us: pushed over gossip, as the answer to a request, or computed from others. */
export const MatrixSource = Schema.Literal("gossip", "request", "recovered")
export type MatrixSource = typeof MatrixSource.Type

/** What is held of one column of a block. Every cell of it is verified against the block's commitments. */
const MatrixColumn = Schema.Struct({
  column: Schema.Int.pipe(Schema.between(0, 127)),
  /** The rows (blobs) of which the cell came, ascending. */
  rows: Schema.Array(Schema.Int),
  source: MatrixSource,
  /** Since when: Unix milliseconds, and milliseconds after the slot's start (negative before it). */
  at: Schema.Number,
  sinceMs: Schema.Number,
  /** Whom it is from; `null` for what was computed. */
  peerId: Schema.NullOr(PeerId),
  /** Whether its bytes are still in memory; those of the oldest blocks go first. */
  inMemory: Schema.Boolean
})

/** What is held of the extended matrix of one block. */
export const BlockMatrix = Schema.Struct({
  slot: Slot,
  blockRoot: Root,
  /** Rows of the matrix. */
  blobs: Schema.Int,
  /** Ascending; columns of which nothing came are left out. */
  columns: Schema.Array(MatrixColumn),
  /** Whole columns that came. */
  held: Schema.Int,
  /** Whole columns that are still missing for the rest to be computed; 0 once 64 have come. */
  needed: Schema.Int,
  recoverable: Schema.Boolean
})
export type BlockMatrix = typeof BlockMatrix.Type

/** What is held of the blocks of one slot, of the last 64 slots. */
export const SlotMatrix = Schema.Struct({
  slot: Slot,
  /** Unix milliseconds. */
  startsAt: Schema.Number,
  canonical: CanonicalSlot,
  /** At most 16; those that are not the canonical one were orphaned, or are not known to be canonical yet. */
  blocks: Schema.Array(Schema.Struct({ ...BlockMatrix.fields, isCanonical: Schema.Boolean }))
}).annotations({ identifier: "SlotMatrix" })
export type SlotMatrix = typeof SlotMatrix.Type
