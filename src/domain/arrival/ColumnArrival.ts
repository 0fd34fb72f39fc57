import { Schema } from "effect"
import { clientFamilies } from "../peer/ClientFamily.ts"
import { PeerId, Root, Slot } from "../Primitives.ts"

/**
 * A column of a block was pushed to us over gossip and accepted, the first time. It says when, and from whom, it came to us,
 * and nothing of who stores it. It does not say either that the proposer published it: a late column may have been
 * computed by a node that had half of them.
 */
export const ColumnArrival = Schema.TaggedStruct("ColumnArrival", {
  slot: Slot,
  blockRoot: Root,
  /** Blobs of the block. */
  blobs: Schema.Int,
  column: Schema.Int,
  /** When it came, before it was verified: Unix milliseconds, and milliseconds after the slot's start (negative before it). */
  at: Schema.Number,
  arrivalMs: Schema.Number,
  /** Who sent it first, and what that is; `unknown` while it has not said. */
  peerId: PeerId,
  client: Schema.Literal(...clientFamilies),
  fork: Schema.String,
  topic: Schema.String,
  messageId: Schema.String,
  /** SSZ, decompressed. */
  bytes: Schema.Int,
  /** Of the signed header that comes with it; `null` from Gloas on. */
  header: Schema.NullOr(Schema.Struct({ proposerIndex: Schema.Int, parentRoot: Root, stateRoot: Root }))
})
export type ColumnArrival = typeof ColumnArrival.Type
