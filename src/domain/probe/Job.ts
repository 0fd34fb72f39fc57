import { Schema } from "effect"
import { FindingKind } from "../peer/Finding.ts"
import { InvalidCheck, OutcomeKind, SuspicionKind } from "./Outcome.ts"
import { PeerId, Root, Slot } from "../Primitives.ts"

/** One request to one peer: `count` slots from `startSlot`, and columns in ascending order. */
export const Job = Schema.Struct({
  peerId: PeerId,
  startSlot: Slot,
  count: Schema.Int,
  columns: Schema.Array(Schema.Int)
}).annotations({ identifier: "Job" })
export type Job = typeof Job.Type

/** What one combination came to. */
export const Outcome = Schema.Struct({
  slot: Slot,
  column: Schema.Int,
  outcome: OutcomeKind,
  /**
   * Of `suspected`: what it would be if a second conversation came to the same. Of `timeout` and `disconnected`:
   * `unanswered` where the answer broke off.
   */
  suspicion: Schema.optional(SuspicionKind),
  /** Of `invalid`, and of what is suspected to be: the check that failed. */
  check: Schema.optional(InvalidCheck),
  /** A sentence for a person; absent for `success`. */
  reason: Schema.optional(Schema.String),
  /** Root of the canonical block that it was held against. */
  blockRoot: Root,
  /** Blobs in the block: cells in the column. */
  blobs: Schema.Int
})
export type Outcome = typeof Outcome.Type

/** Milliseconds, whole; `null` for what was not reached. */
export const Timings = Schema.Struct({
  /** Opening the stream, protocol negotiation included. */
  open: Schema.NullOr(Schema.Number),
  /** From the start of the request, opening included, to the first whole chunk of the answer. */
  firstByte: Schema.NullOr(Schema.Number),
  /** From the start of the probe to the end of its last response. */
  total: Schema.Number
})
export type Timings = typeof Timings.Type

/** What a column of one slot is wanted for: to see whether the slot is available, or to have its blobs. */
export const WantedPurpose = Schema.Literal("availability", "retrieval")
export type WantedPurpose = typeof WantedPurpose.Type

/**
 * Whether a probe looks at something for the first time in a while, asks again for what is suspected, or asks for what
 * someone wants to have now.
 */
export const ProbePurpose = Schema.Literal("sampling", "confirmation", ...WantedPurpose.literals)
export type ProbePurpose = typeof ProbePurpose.Type

/** A finished probe: a job, with the requests that it took and what each combination came to. */
export const Probe = Schema.Struct({
  /** UUID. */
  id: Schema.String,
  purpose: ProbePurpose,
  job: Job,
  /** Unix milliseconds. */
  startedAt: Schema.Number,
  finishedAt: Schema.Number,
  timings: Timings,
  /** Requests sent: the first, those that go on where an answer stopped, and those by root. */
  requests: Schema.Int,
  /** Compressed bytes received. */
  bytes: Schema.Int,
  outcomes: Schema.Array(Outcome),
  /** Combinations that had failed, and were delivered now. */
  recovered: Schema.Int,
  findings: Schema.Array(Schema.Struct({ kind: FindingKind, detail: Schema.String }))
}).annotations({ identifier: "Probe" })
export type Probe = typeof Probe.Type
