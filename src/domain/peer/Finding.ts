import { Schema } from "effect"

/**
 * Facts about a peer that are worth showing and counting, and say nothing about what it stores. A finding never makes
 * a peer `violating`.
 */
export const FindingKind = Schema.Literal(
  "duplicate_sidecar",
  "unordered_sidecar",
  "unrequested_sidecar",
  "incomplete_answer",
  /** Everything that was asked for came, and then the stream was not ended. */
  "stream_left_open",
  /** Context bytes of another fork digest of the network than the sidecar's slot has. */
  "wrong_context",
  /** The header in a sidecar is the block's, and its signature is not: other nodes would refuse the sidecar. */
  "signature_differs",
  /** MetaData and the peer's present ENR disagree; an ENR of unknown age is held against nobody. */
  "claim_mismatch",
  "custody_count_decreased",
  "custody_count_out_of_range",
  "sequence_number_decreased",
  "earliest_slot_above_head",
  "claim_retracted",
  "repeated_server_error",
  "columns_not_served",
  "earliest_slot_at_head",
  /** It is on the gossip topics of some columns, and for long not on those of all that it owes. */
  "columns_not_subscribed",
  /** It gives, or claims, something else to one of our identities than to the other: an alarm, never an accusation. */
  "serves_by_asker"
).annotations({ identifier: "FindingKind" })
export type FindingKind = typeof FindingKind.Type

export const Finding = Schema.Struct({ kind: FindingKind, detail: Schema.String })
export type Finding = typeof Finding.Type

/** Findings counted by kind; only kinds that occurred are present. */
export const FindingCounts = Schema.partial(Schema.Record({ key: FindingKind, value: Schema.Int })).annotations({
  identifier: "FindingCounts"
})
export type FindingCounts = typeof FindingCounts.Type

/** `counts` with each of `findings` added. */
export const addFindings = (counts: FindingCounts, findings: ReadonlyArray<Finding>): FindingCounts => {
  const sum: { -readonly [K in FindingKind]?: number | undefined } = { ...counts }
  for (const { kind } of findings) sum[kind] = (sum[kind] ?? 0) + 1
  return sum
}
