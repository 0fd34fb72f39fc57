import { custodyColumns, isCustodyCount } from "../column/Custody.ts"
import { custodyRequirement, numberOfCustodyGroups } from "../network/Chain.ts"
import type { Checkpoint, Claim, ClaimSource } from "./Claim.ts"
import type { Finding } from "./Finding.ts"
import type { Subnets } from "./Subnets.ts"
import type { Root, Slot } from "../Primitives.ts"

/** What Status and MetaData gave, before it is made a claim. */
export interface ClaimParts {
  readonly nodeId: Uint8Array
  readonly metadataCount: number | undefined
  /** Fills in where there is no MetaData. */
  readonly enrCount: number | undefined
  /**
   * Whether the ENR was got from the peer, or the network, no earlier than the MetaData: only then is a difference a
   * contradiction. One from a list of peers is of unknown age, and nothing in it tells: its sequence number counts the
   * versions of the record, MetaData's those of the metadata, and neither can be held against the other.
   */
  readonly enrIsCurrent: boolean
  readonly earliestAvailableSlot: Slot | undefined
  readonly headSlot: Slot
  /** From Status. A host that leaves it out makes that nobody is ever accused. */
  readonly finalized?: Checkpoint | undefined
  readonly forkDigest: string
  readonly sequenceNumber: number | undefined
  readonly observedAt: number
  /** Of the head, from Status; shown, and nothing is judged by it. */
  readonly headRoot?: Root | undefined
  /** From MetaData; shown, and nothing is judged by it. */
  readonly subnets?: Subnets | undefined
}

/** Metadata wins over the ENR, the ENR over the default; a count that cannot be is passed over. */
export const makeClaim = (parts: ClaimParts): Claim => {
  const candidates: ReadonlyArray<readonly [ClaimSource, number | undefined]> = [
    ["metadata", parts.metadataCount],
    ["enr", parts.enrCount]
  ]
  const [source, custodyGroupCount] = candidates.find(
    (entry): entry is readonly [ClaimSource, number] => entry[1] !== undefined && isCustodyCount(entry[1])
  ) ?? ["default" as const, custodyRequirement]
  return {
    custodyGroupCount,
    source,
    columns: custodyColumns(parts.nodeId, custodyGroupCount),
    earliestAvailableSlot: parts.earliestAvailableSlot ?? null,
    headSlot: parts.headSlot,
    finalized: parts.finalized ?? null,
    forkDigest: parts.forkDigest,
    sequenceNumber: parts.sequenceNumber ?? null,
    observedAt: parts.observedAt
  }
}

/** Contradictions inside one set of statements. */
export const claimFindings = (parts: ClaimParts): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const { enrCount, enrIsCurrent, metadataCount } = parts
  const outOfRange = [
    ...(metadataCount === undefined || isCustodyCount(metadataCount) ? [] : [`metadata says ${metadataCount}`]),
    ...(enrCount === undefined || isCustodyCount(enrCount) ? [] : [`the ENR says ${enrCount}`])
  ]
  for (const said of outOfRange) {
    findings.push({
      kind: "custody_count_out_of_range",
      detail: `${said}, allowed is ${custodyRequirement}..${numberOfCustodyGroups}`
    })
  }
  if (enrIsCurrent && metadataCount !== undefined && enrCount !== undefined && metadataCount !== enrCount) {
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
