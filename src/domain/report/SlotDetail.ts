import { Schema } from "effect"
import { SlotHoldings } from "./Question.ts"
import { Epoch, Root } from "../Primitives.ts"

/** What the canonical chain has in a slot. */
export const CanonicalSlot = Schema.Union(
  Schema.TaggedStruct("Block", {
    root: Root,
    blobs: Schema.Int,
    /** Whether columns of it must exist. */
    hasColumns: Schema.Boolean
  }),
  Schema.TaggedStruct("Empty", {}),
  /** Not known to this monitor, and why. */
  Schema.TaggedStruct("Unknown", { reason: Schema.String })
)
export type CanonicalSlot = typeof CanonicalSlot.Type

/** One slot: its block, and who has proven to hold its columns. */
export const SlotDetail = Schema.Struct({
  ...SlotHoldings.fields,
  epoch: Epoch,
  /** Unix milliseconds. */
  startsAt: Schema.Number,
  canonical: CanonicalSlot
}).annotations({ identifier: "SlotDetail" })
export type SlotDetail = typeof SlotDetail.Type
