import { Schema } from "effect"
import type { Finding } from "./Finding.ts"
import {
  type ChainParameters,
  custodyRequirement,
  numberOfCustodyGroups,
  serveRange,
  type SlotRange
} from "../network/Chain.ts"
import { custodyColumns } from "../column/Custody.ts"

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
  earliestAvailableSlot: Schema.NullOr(Schema.Int),
  headSlot: Schema.Int,
  /** `0x` and 8 digits, from Status. */
  forkDigest: Schema.String,
  /** MetaData seq_number; `null` if there was no MetaData. */
  sequenceNumber: Schema.NullOr(Schema.Int),
  /** Unix milliseconds at which the peer said so. */
  observedAt: Schema.Number
}).annotations({ identifier: "Claim" })
export type Claim = typeof Claim.Type

/** What Status and MetaData gave, before it is made a claim. */
export interface ClaimParts {
  readonly nodeId: Uint8Array
  readonly metadataCount: number | undefined
  readonly enrCount: number | undefined
  readonly earliestAvailableSlot: number | undefined
  readonly headSlot: number
  readonly forkDigest: string
  readonly sequenceNumber: number | undefined
  readonly observedAt: number
}

/** Metadata wins over the ENR, the ENR over the default; a count that cannot be is passed over. */
export const makeClaim = (parts: ClaimParts): Claim => {
  const candidates: ReadonlyArray<readonly [ClaimSource, number | undefined]> = [
    ["metadata", parts.metadataCount],
    ["enr", parts.enrCount]
  ]
  const [source, custodyGroupCount] = candidates.find(
    (entry): entry is readonly [ClaimSource, number] => entry[1] !== undefined && isCount(entry[1])
  ) ?? ["default" as const, custodyRequirement]
  return {
    custodyGroupCount,
    source,
    columns: custodyColumns(parts.nodeId, custodyGroupCount),
    earliestAvailableSlot: parts.earliestAvailableSlot ?? null,
    headSlot: parts.headSlot,
    forkDigest: parts.forkDigest,
    sequenceNumber: parts.sequenceNumber ?? null,
    observedAt: parts.observedAt
  }
}

/** Contradictions inside one set of statements. */
export const claimFindings = (parts: ClaimParts): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const { enrCount, metadataCount } = parts
  const outOfRange = [
    ...(metadataCount === undefined || isCount(metadataCount) ? [] : [`metadata says ${metadataCount}`]),
    ...(enrCount === undefined || isCount(enrCount) ? [] : [`the ENR says ${enrCount}`])
  ]
  for (const said of outOfRange) {
    findings.push({
      kind: "custody_count_out_of_range",
      detail: `${said}, allowed is ${custodyRequirement}..${numberOfCustodyGroups}`
    })
  }
  if (metadataCount !== undefined && enrCount !== undefined && metadataCount !== enrCount) {
    findings.push({ kind: "claim_mismatch", detail: `metadata says ${metadataCount}, the ENR says ${enrCount}` })
  }
  if (parts.earliestAvailableSlot !== undefined && parts.earliestAvailableSlot > parts.headSlot) {
    findings.push({
      kind: "earliest_slot_above_head",
      detail: `earliest available slot ${parts.earliestAvailableSlot}, head slot ${parts.headSlot}`
    })
  }
  return findings
}

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

/** How far from the moving edges of its range a peer is asked, so that an honest one is never caught between. */
export interface Margins {
  /** Slots behind the lower of our and the peer's head: columns spread and are stored with a delay. */
  readonly headSlots: number
  /** Epochs above the retention edge, where peers prune at slightly different moments. */
  readonly retentionEpochs: number
}

/**
 * The slots for which a peer owes its columns (fulu/p2p-interface.md, "earliest_available_slot"): from the latest of
 * Fulu, the retention edge and its earliest available slot, to the lower of both heads; without the margins.
 */
export const owedRange = (
  chain: ChainParameters,
  claim: Claim,
  ourHeadSlot: number,
  currentSlot: number,
  margins: Margins
): SlotRange => {
  const served = serveRange(chain, currentSlot)
  const edge = serveRange(chain, currentSlot + margins.retentionEpochs * chain.slotsPerEpoch)
  return {
    start: Math.max(served.start, edge.start, claim.earliestAvailableSlot ?? 0),
    end: Math.min(claim.headSlot, ourHeadSlot) - margins.headSlots
  }
}

const isCount = (count: number): boolean =>
  Number.isInteger(count) && count >= custodyRequirement && count <= numberOfCustodyGroups
