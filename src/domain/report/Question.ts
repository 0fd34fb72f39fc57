import { Schema } from "effect"
import { Recoverability } from "../availability/Holdings.ts"
import { SlotVerdict } from "../availability/SlotVerdict.ts"
import { TrailingShare } from "../availability/Trailing.ts"
import { numberOfColumns } from "../network/Chain.ts"
import { Claim } from "../peer/Claim.ts"
import { Interval } from "../probe/Confidence.ts"
import { CoverageCounts } from "../probe/Coverage.ts"
import { Evasion } from "../peer/Evasion.ts"
import { FailedSlot } from "../peer/Failing.ts"
import { FindingCounts } from "../peer/Finding.ts"
import { SuspectedSlot } from "../peer/Suspicions.ts"
import { Job, ProbePurpose, Timings } from "../probe/Job.ts"
import { InvalidCheck, OutcomeCounts, OutcomeKind, SuspicionKind } from "../probe/Outcome.ts"
import { ConversationCounts } from "../peer/Verdict.ts"
import { PeerId, Root, Slot } from "../Primitives.ts"

/** What a history can be asked, and what it answers. Days are those of UTC, counted from 1970. */

/** Rows in an answer, at most. An answer says when there would be more. */
const Limit = Schema.optional(Schema.Int.pipe(Schema.between(1, 100_000)))
export const defaultLimit = 200

const Day = Schema.Int.pipe(Schema.between(0, 1_000_000))

/** Both days are included; without them it is everything that is kept. */
const period = { since: Schema.optional(Day), until: Schema.optional(Day) }

/** What outcomes can be summed up by. */
export const ComplianceBy = Schema.Literal("peer", "client", "version", "custody", "column", "age", "day")
export type ComplianceBy = typeof ComplianceBy.Type

/** Which rows come first. `group` is the order of the groups themselves; the others have the greatest first. */
export const ComplianceOrder = Schema.Literal("group", "tested", "blamed")
export type ComplianceOrder = typeof ComplianceOrder.Type

export const ComplianceOptions = Schema.Struct({
  by: ComplianceBy,
  ...period,
  /** Default: `tested` for peers, clients and versions, otherwise `group`. */
  order: Schema.optional(ComplianceOrder),
  limit: Limit
})

/** Between 0 and 1. */
const Fraction = Schema.Number

const counted = {
  /** Combinations that were proven one way or the other: `success` and what is blamed on the peer. */
  tested: Schema.Int,
  /** Of those tested, the ones that are blamed on the peer. */
  blamed: Schema.Int,
  /** `success` of what was tested; `null` when nothing was. */
  compliance: Schema.NullOr(Fraction),
  /** The same if everything that was ever suspected were true: `success` of what was tested or `suspected`. */
  complianceWithSuspicions: Schema.NullOr(Fraction),
  outcomes: OutcomeCounts
}

export const ComplianceRow = Schema.Struct({
  /**
   * A peer id, a client, a client and its version, a custody group count, a column, whole days from a slot to the
   * probe, or a day such as `2026-01-31`.
   */
  group: Schema.Union(Schema.String, Schema.Int),
  /** Of a peer: its client and version. */
  client: Schema.optional(Schema.String),
  /** `null` where one probe belongs to many groups. */
  probes: Schema.NullOr(Schema.Int),
  /** Peers that were probed; `null` where that is not kept. */
  peers: Schema.NullOr(Schema.Int),
  ...counted
}).annotations({ identifier: "ComplianceRow" })
export type ComplianceRow = typeof ComplianceRow.Type

const more = {
  /** Whether there are more rows than were asked for. */
  more: Schema.Boolean
}

export const Compliance = Schema.Struct({ rows: Schema.Array(ComplianceRow), ...more })

export const WorstOptions = Schema.Struct({
  ...period,
  /** Peers of whom fewer combinations were tested are left out. Default 20. */
  leastTested: Schema.optional(Schema.Int.pipe(Schema.between(1, 1_000_000_000))),
  limit: Limit
})

const peerNamed = {
  peerId: PeerId,
  /** Its client and version. */
  client: Schema.String
}

export const WorstRow = Schema.Struct({
  ...peerNamed,
  ...counted,
  /** Blamed of what was tested, at any time. */
  blamedFraction: Fraction,
  /** What it withholds of all that it owes at this moment; `null` while that was not counted. */
  withheld: Schema.NullOr(Interval),
  /** The failure to show, as a sentence. */
  lastFailure: Schema.NullOr(Schema.String)
})

/** The peers with the greatest blamed fraction first; those without any blamed outcome are left out. */
export const Worst = Schema.Struct({ rows: Schema.Array(WorstRow), ...more })

export const UntestedOptions = Schema.Struct({ limit: Limit })

export const UntestedRow = Schema.Struct({
  ...peerNamed,
  ...CoverageCounts.fields,
  /** Combinations that it owes and that were not tested. */
  untested: Schema.Int,
  /** Unix milliseconds at which these were counted. */
  countedAt: Schema.Number
})

/** The peers of whom most is untested first; a peer whose coverage was never counted is left out. */
export const Untested = Schema.Struct({ rows: Schema.Array(UntestedRow), ...more })

export const SlotOptions = Schema.Struct({
  slot: Slot.pipe(Schema.lessThanOrEqualTo(2 ** 31)),
  /** Peer ids named for each column. Default 10. */
  limit: Schema.optional(Schema.Int.pipe(Schema.between(0, 1000)))
})

/** Slots in one answer, at most: those of two chunks of coverage. */
const mostSlots = 256

/** What was proven of the columns of a slot, all in all. Gossip counts for nothing in it. */
const recoverability = {
  state: Recoverability,
  /** Distinct peers that were proven to hold a column of it. */
  holders: Schema.Int,
  /** The column with the fewest of them, of those that are held at all; `null` where none is. */
  weakest: Schema.NullOr(Schema.Struct({ column: Schema.Int, peers: Schema.Int }))
}

/** Who has proven to hold the columns of one slot: delivered them, verified, and not failed to since. */
export const SlotHoldings = Schema.Struct({
  slot: Slot,
  /** The blocks that outcomes were held against; after a reorg there is more than one. */
  blocks: Schema.Array(Schema.Struct({ root: Root, blobs: Schema.Int, orphaned: Schema.Boolean })),
  /** All columns, ascending. */
  columns: Schema.Array(
    Schema.Struct({
      column: Schema.Int,
      /** Peers that have proven to hold it. */
      peers: Schema.Int,
      /** Peers that failed to deliver it, and are blamed. */
      failed: Schema.Int,
      /** Some of those that hold it. */
      peerIds: Schema.Array(PeerId)
    })
  ),
  /** Distinct columns that are proven to be held. */
  held: Schema.Int,
  /** Whether those are enough to reconstruct all the others: half of them. */
  reconstructable: Schema.Boolean,
  ...recoverability,
  /** What sampling the blocks of the slot came to, when they were new. */
  sampled: Schema.Array(SlotVerdict)
})

export const SlotsOptions = Schema.Struct({
  /** `next` of the page before. */
  before: Schema.optional(Slot),
  /** Default 32. */
  limit: Schema.optional(Schema.Int.pipe(Schema.between(1, mostSlots)))
})

export const SlotsRow = Schema.Struct({
  slot: Slot,
  held: Schema.Int,
  ...recoverability,
  /** What sampling its newest block came to; `null` where it was not sampled. */
  verdict: Schema.NullOr(SlotVerdict.fields.verdict)
}).annotations({ identifier: "SlotsRow" })

/** The newest slots of which anything was tested or sampled, newest first. */
export const SlotsPage = Schema.Struct({
  rows: Schema.Array(SlotsRow),
  /** `before` of the next page; `null` when this is the last. */
  next: Schema.NullOr(Slot)
})

export const AvailabilityOptions = Schema.Struct({
  /** Of a history that does not know its network; 12,000 if left out. */
  slotDurationMs: Schema.optional(Schema.Number),
  /** Only what was decided since; Unix milliseconds. */
  since: Schema.optional(Schema.Number),
  /** `next` of the page before. */
  before: Schema.optional(Schema.Int),
  /** Default 100. */
  limit: Schema.optional(Schema.Int.pipe(Schema.between(1, 1000)))
})

/** What sampling each block came to, newest first, and the trailing analysis of all that was decided since. */
export const Availability = Schema.Struct({
  /** Blocks that were sampled since, on all pages, by their verdicts. */
  blocks: Schema.Int,
  available: Schema.Int,
  unavailable: Schema.Int,
  undetermined: Schema.Int,
  /** For every follow distance and deadline, how many of them were decided in time. */
  trailing: Schema.Array(TrailingShare),
  slots: Schema.Array(SlotVerdict),
  /** `before` of the next page; `null` when this is the last. */
  next: Schema.NullOr(Schema.Int)
})

export const ProbesOptions = Schema.Struct({
  peerId: Schema.optional(PeerId),
  /** Probes with an outcome at this slot. */
  slot: Schema.optional(Slot),
  /** Probes with an outcome of this column. */
  column: Schema.optional(Schema.Int.pipe(Schema.between(0, numberOfColumns - 1))),
  /** Probes with this outcome, at the slot and of the column that are given too. */
  outcome: Schema.optional(OutcomeKind),
  /** `next` of the page before. */
  before: Schema.optional(Schema.Int),
  limit: Schema.optional(Schema.Int.pipe(Schema.between(1, 1000)))
})

export const ProbeSummary = Schema.Struct({
  /** UUID. */
  id: Schema.String,
  purpose: ProbePurpose,
  job: Job,
  startedAt: Schema.Number,
  finishedAt: Schema.Number,
  timings: Timings,
  requests: Schema.Int,
  bytes: Schema.Int,
  /** Combinations that had failed, and were delivered now. */
  recovered: Schema.Int,
  outcomes: OutcomeCounts
}).annotations({ identifier: "ProbeSummary" })
export type ProbeSummary = typeof ProbeSummary.Type

/** Newest first. A page can hold fewer than the limit, and even none, while there is a next one. */
export const ProbePage = Schema.Struct({
  probes: Schema.Array(ProbeSummary),
  /** `before` of the next page; `null` when this is the last. */
  next: Schema.NullOr(Schema.Int)
})

export const FailuresOptions = Schema.Struct({ peerId: PeerId, limit: Limit })

/** Why combinations of a probe failed. */
export const FailureView = Schema.Struct({
  /** UUID of the probe. */
  probeId: Schema.String,
  /** Unix milliseconds. */
  at: Schema.Number,
  outcome: OutcomeKind,
  /** `null`, as `column`, when several combinations share the reason. */
  slot: Schema.NullOr(Slot),
  column: Schema.NullOr(Schema.Int),
  blockRoot: Schema.NullOr(Root),
  /** Combinations that failed so. */
  combinations: Schema.Int,
  /** Of what is suspected only: what it would be if it were confirmed. */
  suspicion: Schema.NullOr(SuspicionKind),
  check: Schema.NullOr(InvalidCheck),
  reason: Schema.NullOr(Schema.String)
})
export type FailureView = typeof FailureView.Type

/** Newest first. */
export const Failures = Schema.Array(FailureView)

export const PeerOptions = Schema.Struct({ peerId: PeerId })

export const PeerRecordOptions = Schema.Struct({
  peerId: PeerId,
  /** Unix milliseconds from which on `failing` looks; everything that is kept if left out. */
  failingSince: Schema.optional(Schema.Number)
})

/** What was ever recorded of a peer; `null` for one that was never met. */
export const PeerRecord = Schema.NullOr(
  Schema.Struct({
    agent: Schema.NullOr(Schema.String),
    address: Schema.NullOr(Schema.String),
    /** Unix milliseconds, as the other moments. */
    firstSeen: Schema.NullOr(Schema.Number),
    lastSeen: Schema.NullOr(Schema.Number),
    probes: Schema.Int,
    lastProbeAt: Schema.NullOr(Schema.Number),
    /** The failure to show, as a sentence. */
    lastFailure: Schema.NullOr(Schema.String),
    outcomes: OutcomeCounts,
    findings: FindingCounts,
    conversations: ConversationCounts,
    /** As of the newest probe; `null` while it was not counted. */
    coverage: Schema.NullOr(CoverageCounts),
    /** Combinations that had failed and were delivered later, ever. */
    recovered: Schema.Int,
    /** Changes of its claim, ever; of a day with very many only some are kept. */
    claimChanges: Schema.Int,
    /** What it was blamed for since `failingSince`, and has not delivered since; the newest come last. */
    failing: Schema.Array(FailedSlot),
    /** What is suspected of it and not settled. */
    suspected: Schema.Array(SuspectedSlot),
    evasion: Evasion
  })
)

export const ClaimsOptions = Schema.Struct({ peerId: PeerId, limit: Limit })

/** The newest of those that are kept, ascending in time. */
export const Claims = Schema.Array(Claim)

/** What was found out about one peer, day by day: the groups are days. */
export const PeerDays = Schema.Array(ComplianceRow)

/** What a history is about. */
export const Extent = Schema.Struct({
  /** `null` while no monitor has run on it. */
  network: Schema.NullOr(Schema.String),
  /** The days that sums are kept of; `null` while there is nothing. */
  firstDay: Schema.NullOr(Day),
  lastDay: Schema.NullOr(Day),
  peers: Schema.Int,
  /** Since the database was made, also of days that are no longer kept. */
  probes: Schema.Int,
  outcomes: OutcomeCounts
})
export type Extent = typeof Extent.Type
