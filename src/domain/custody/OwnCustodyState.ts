import { Schema } from "effect"
import { Slot } from "../Primitives.ts"

/** What our own node claims, keeps and serves of data columns. */
export const OwnCustodyState = Schema.Struct({
  /** `gossip.mode`. Only with `participate` anything is kept, served, recovered and published. */
  mode: Schema.Literal("off", "observe", "participate"),
  /** What its MetaData and ENR say. */
  custodyGroupCount: Schema.Int,
  /** The columns that it owes, ascending. */
  columns: Schema.Array(Schema.Int),
  /** What its Status says; `null` where nothing is kept, and it says its head; its head too while it has nothing yet. */
  earliestAvailableSlot: Schema.NullOr(Slot),
  /** Whether what comes is kept, and with `failing` why not, as a sentence that says what to do. */
  state: Schema.Literal("none", "keeping", "failing"),
  reason: Schema.NullOr(Schema.String),
  /** Bytes on disk. */
  bytes: Schema.Int,
  /** Sidecars since the start that were kept, and that came and could not be. */
  kept: Schema.Int,
  lost: Schema.Int,
  /** Sidecars since the start that peers were given, and bytes of them. */
  served: Schema.Int,
  servedBytes: Schema.Int,
  /** Requests since the start that were refused, whatever for. */
  refused: Schema.Int,
  /** Columns since the start that were recovered, and of those the ones that were published. */
  recovered: Schema.Int,
  published: Schema.Int
}).annotations({ identifier: "OwnCustodyState" })
export type OwnCustodyState = typeof OwnCustodyState.Type

/** Of a node that keeps nothing. */
export const nothingKept = (
  claim: Pick<OwnCustodyState, "mode" | "custodyGroupCount" | "columns">
): OwnCustodyState => ({
  ...claim,
  earliestAvailableSlot: null,
  state: "none",
  reason: null,
  bytes: 0,
  kept: 0,
  lost: 0,
  served: 0,
  servedBytes: 0,
  refused: 0,
  recovered: 0,
  published: 0
})
