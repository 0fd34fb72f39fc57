import { Schema } from "effect"
import { Root, Slot } from "../Primitives.ts"

/**
 * How far we have the matrix of a block, told once for each: `first` of a first column, `subscribed` when all have come whose
 * gossip we are on, `recoverable` at half of all columns, `complete` when all are there.
 */
export const MatrixStage = Schema.Literal("first", "subscribed", "recoverable", "complete")
export type MatrixStage = typeof MatrixStage.Type

export const MatrixProgress = Schema.TaggedStruct("MatrixProgress", {
  slot: Slot,
  blockRoot: Root,
  blobs: Schema.Int,
  stage: MatrixStage,
  /** Columns that have come by then, and how. */
  held: Schema.Int,
  sources: Schema.Struct({ gossip: Schema.Int, request: Schema.Int, recovered: Schema.Int }),
  /** Unix milliseconds, and milliseconds after the slot's start. */
  at: Schema.Number,
  sinceMs: Schema.Number
})
export type MatrixProgress = typeof MatrixProgress.Type
