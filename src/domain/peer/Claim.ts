import { Schema } from "effect"
import type { Finding } from "./Finding.ts"
import { Epoch, Root, Slot } from "../Primitives.ts"

/** A finalized checkpoint: the last block at or before the first slot of the epoch. */
export const Checkpoint = Schema.Struct({ epoch: Epoch, root: Root })
export type Checkpoint = typeof Checkpoint.Type

/** Where a custody group count comes from: MetaData v3, else the ENR's `cgc`, else CUSTODY_REQUIREMENT. */
export const ClaimSource = Schema.Literal("metadata", "enr", "default")
export type ClaimSource = typeof ClaimSource.Type

/** What a peer says that it keeps, at one moment. */
export const Claim = Schema.Struct({
  /** 4 to 128; a count out of range is passed over, and without any other it is CUSTODY_REQUIREMENT. */
  custodyGroupCount: Schema.Int,
  source: ClaimSource,
  /** The columns that follow from the node id and the count, ascending. */
  columns: Schema.Array(Schema.Int),
  /** Status v2; `null` from a peer that speaks only Status v1. */
  earliestAvailableSlot: Schema.NullOr(Slot),
  headSlot: Slot,
  /** From Status; `null` where that is not known. Only what is final on a chain that we share can be accused. */
  finalized: Schema.NullOr(Checkpoint),
  /** `0x` and 8 digits, from Status. */
  forkDigest: Schema.String,
  /** MetaData seq_number; `null` if there was no MetaData. */
  sequenceNumber: Schema.NullOr(Schema.Int),
  /** Unix milliseconds at which the peer said so. */
  observedAt: Schema.Number
}).annotations({ identifier: "Claim" })
export type Claim = typeof Claim.Type

/** Contradictions between a claim and the one before it. */
export const claimChangeFindings = (before: Claim, after: Claim): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  if (after.source === before.source && after.custodyGroupCount < before.custodyGroupCount) {
    findings.push({
      kind: "custody_count_decreased",
      detail: `from ${before.custodyGroupCount} to ${after.custodyGroupCount}`
    })
  }
  if (before.sequenceNumber !== null && after.sequenceNumber !== null && after.sequenceNumber < before.sequenceNumber) {
    findings.push({
      kind: "sequence_number_decreased",
      detail: `from ${before.sequenceNumber} to ${after.sequenceNumber}`
    })
  }
  return findings
}

/** Whether both oblige to the same; the moment, the head, the digest and the sequence number may differ. */
export const sameClaim = (a: Claim, b: Claim): boolean =>
  a.custodyGroupCount === b.custodyGroupCount &&
  a.source === b.source &&
  a.earliestAvailableSlot === b.earliestAvailableSlot
