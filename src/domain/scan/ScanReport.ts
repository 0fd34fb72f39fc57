import { Schema } from "effect"
import { Claim } from "../peer/Claim.ts"
import { Finding } from "../peer/Finding.ts"
import { Subnets } from "../peer/Subnets.ts"
import { SuspectedSlot } from "../peer/Suspicions.ts"
import { ConversationCounts } from "../peer/Verdict.ts"
import { PeerId, Root, Slot } from "../Primitives.ts"
import { Outcome, Probe } from "../probe/Job.ts"
import { OutcomeCounts } from "../probe/Outcome.ts"
import { ScanVerdict } from "./ScanVerdict.ts"

/** What a record says, where one was given or found. */
const Record = Schema.Struct({
  enr: Schema.String,
  /** Its sequence number counts the versions of the record, not those of the MetaData. */
  sequenceNumber: Schema.String,
  custodyGroupCount: Schema.NullOr(Schema.Int),
  /** `0x` and 8 digits. */
  forkDigest: Schema.NullOr(Schema.String),
  nextForkDigest: Schema.NullOr(Schema.String),
  client: Schema.NullOr(Schema.String),
  subnets: Schema.NullOr(Subnets)
})

const Connection = Schema.Struct({
  /** The remote multiaddr. */
  address: Schema.String,
  agent: Schema.NullOr(Schema.String),
  /** Milliseconds until there was a connection and identify had told of the peer. */
  dialMs: Schema.Number,
  /** As identify told them; empty where it told none. */
  protocols: Schema.Array(Schema.String)
})

/** Status, as the peer said it, beside what is so here. */
const StatusSaid = Schema.Struct({
  forkDigest: Schema.String,
  headSlot: Slot,
  headRoot: Schema.NullOr(Root),
  finalizedEpoch: Schema.NullOr(Schema.Int),
  finalizedRoot: Schema.NullOr(Root),
  /** Status version 2; `null` from a peer that speaks only version 1. */
  earliestAvailableSlot: Schema.NullOr(Slot),
  ours: Schema.Struct({
    /** One, or two around a step of the digest. */
    forkDigests: Schema.Array(Schema.String),
    headSlot: Slot,
    finalizedEpoch: Schema.NullOr(Schema.Int)
  }),
  /** How its finalized checkpoint stands to our chain; `null` while nothing is final here. */
  finality: Schema.NullOr(Schema.Literal("ours", "other", "unknown", "withheld"))
})

const MetadataSaid = Schema.Struct({
  /** `null` if it has no MetaData. */
  sequenceNumber: Schema.NullOr(Schema.Int),
  /** `null` before version 3. */
  custodyGroupCount: Schema.NullOr(Schema.Int),
  subnets: Schema.NullOr(Subnets)
})

const PingSaid = Schema.Struct({
  /** Milliseconds until the answer was whole; `null` if there was none. */
  ms: Schema.NullOr(Schema.Number),
  sequenceNumber: Schema.NullOr(Schema.Int),
  /** Why there was no answer. */
  error: Schema.NullOr(Schema.String)
})
export type PingSaid = typeof PingSaid.Type

/** One thing that a claim can be held against. */
export const Check = Schema.Struct({
  name: Schema.Literal(
    "network",
    "finality",
    "custody_count",
    "enr_custody_count",
    "enr_fork_digest",
    "enr_subnets",
    "sequence_number",
    "earliest_slot",
    "protocols",
    "subscriptions"
  ),
  /** `ok`, odd but no fault by itself (`note`), wrong (`bad`), or not to be told (`unknown`). */
  result: Schema.Literal("ok", "note", "bad", "unknown"),
  /** A sentence for a person. */
  detail: Schema.String
}).annotations({ identifier: "ScanCheck" })
export type Check = typeof Check.Type

/** One slot and column that was asked for, as it stands at the end of the scan. */
const Cell = Schema.Struct({
  ...Outcome.fields,
  /** Whether the peer's claim obliges it to have it. */
  owed: Schema.Boolean
})
export type Cell = typeof Cell.Type

/** Everything that a scan found out about one target. */
export const ScanReport = Schema.Struct({
  /** As it was given. */
  target: Schema.String,
  peerId: PeerId,
  /** `0x` and 64 digits; `null` if the peer id does not hold the key. */
  nodeId: Schema.NullOr(Schema.String),
  network: Schema.String,
  /** Addresses to dial, and where they were found: `target`, or `beacon node`, `address book` and `history`. */
  addresses: Schema.Array(Schema.String),
  addressesFrom: Schema.String,
  enr: Schema.NullOr(Record),
  /** Unix milliseconds. */
  startedAt: Schema.Number,
  finishedAt: Schema.Number,
  /** Whether it was connected to, and said its Status. */
  reached: Schema.Boolean,
  verdict: ScanVerdict,
  /** What it comes to, and what to do about it. */
  sentence: Schema.String,
  /** Why the scan ended before everything was asked; `null` if nothing kept it from that. */
  failure: Schema.NullOr(Schema.String),
  connection: Schema.NullOr(Connection),
  status: Schema.NullOr(StatusSaid),
  metadata: Schema.NullOr(MetadataSaid),
  claim: Schema.NullOr(Claim),
  checks: Schema.Array(Check),
  pings: Schema.Array(PingSaid),
  /** The columns whose gossip topics it says it is on, ascending; `null` where it has not said. */
  subscribedColumns: Schema.NullOr(Schema.Array(Schema.Int)),
  /** The slots of which something could be asked for and judged; `null` before that was known. */
  range: Schema.NullOr(Schema.Struct({ start: Slot, end: Slot })),
  /** Slots that were asked for, and the columns in each. */
  slots: Schema.Array(Slot),
  columns: Schema.Array(Schema.Int),
  /** Slots that were to be asked for and were not. */
  passedOver: Schema.Array(Schema.Struct({ slot: Slot, reason: Schema.String })),
  cells: Schema.Array(Cell),
  /** Of the cells that it owes. */
  outcomes: OutcomeCounts,
  /** Combinations that it owes, of the slots that were chosen, and that no question came to. */
  untested: Schema.Int,
  conversations: ConversationCounts,
  suspected: Schema.Array(SuspectedSlot),
  findings: Schema.Array(Finding),
  probes: Schema.Array(Probe),
  /** What a reader should know besides. */
  notes: Schema.Array(Schema.String)
}).annotations({ identifier: "ScanReport" })
export type ScanReport = typeof ScanReport.Type
