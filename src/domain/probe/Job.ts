import { Schema } from "effect"
import { FindingKind } from "../peer/Finding.ts"
import { InvalidCheck, OutcomeKind } from "./Outcome.ts"
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
  /** Of `invalid` only: the check that failed. */
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

/** A finished probe: a job, with the requests that it took and what each combination came to. */
export const Probe = Schema.Struct({
  /** UUID. */
  id: Schema.String,
  job: Job,
  /** Unix milliseconds. */
  startedAt: Schema.Number,
  finishedAt: Schema.Number,
  timings: Timings,
  /** Requests sent: the first, those after a truncated answer, and the one that confirms. */
  requests: Schema.Int,
  /** Compressed bytes received. */
  bytes: Schema.Int,
  outcomes: Schema.Array(Outcome),
  findings: Schema.Array(Schema.Struct({ kind: FindingKind, detail: Schema.String }))
}).annotations({ identifier: "Probe" })
export type Probe = typeof Probe.Type
