import type { Connection } from "@effect/sql/SqlConnection"
import { type SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import { type Claim, ClaimSource } from "../../../domain/peer/Claim.ts"
import type { FindingCounts } from "../../../domain/peer/Finding.ts"
import { FindingKind } from "../../../domain/peer/Finding.ts"
import { Evasion } from "../../../domain/peer/Evasion.ts"
import { Restraint, unrestrained } from "../../../domain/peer/Restraint.ts"
import { neutralScore, Score } from "../../../domain/peer/Score.ts"
import { SuspectedSlot } from "../../../domain/peer/Suspicions.ts"
import { type Probe, ProbePurpose } from "../../../domain/probe/Job.ts"
import { InvalidCheck, type OutcomeCounts, OutcomeKind, SuspicionKind } from "../../../domain/probe/Outcome.ts"
import { columnsOf } from "../../../domain/column/ColumnMask.ts"
import { noStanding, type PeerStanding } from "../History.ts"

/** Runs a statement of fixed text, which the driver keeps prepared, and decodes the rows that it returns. */
export const query = <A, I>(text: string, row: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Array(row))
  return (
    connection: Connection,
    parameters: ReadonlyArray<unknown>
  ): Effect.Effect<ReadonlyArray<A>, SqlError | ParseError> =>
    Effect.flatMap(connection.execute(text, parameters, undefined), (rows) => decode(rows))
}

/** Runs a statement that returns nothing. */
export const execute =
  (text: string) =>
  (connection: Connection, parameters: ReadonlyArray<unknown>): Effect.Effect<unknown, SqlError> =>
    connection.executeRaw(text, parameters)

/** The row of a statement that always returns one. */
export const only = <A, E>(rows: Effect.Effect<ReadonlyArray<A>, E>): Effect.Effect<A, E> =>
  Effect.flatMap(rows, ([row]) =>
    row === undefined ? Effect.dieMessage("a statement that returns a row returned none") : Effect.succeed(row)
  )

export const IdRow = Schema.Struct({ id: Schema.Number })

const outcomeColumns = Schema.Struct({
  success: Schema.Number,
  missing: Schema.Number,
  invalid: Schema.Number,
  unavailable: Schema.Number,
  malformed: Schema.Number,
  timeout: Schema.Number,
  disconnected: Schema.Number,
  refused: Schema.Number,
  unverifiable: Schema.Number,
  suspected: Schema.Number
} satisfies Record<OutcomeKind, Schema.Schema.Any>).fields

export const TotalsRow = Schema.Struct({ probes: Schema.Number, ...outcomeColumns })

export const PeerRow = Schema.Struct({
  id: Schema.Number,
  agent: Schema.NullOr(Schema.String),
  address: Schema.NullOr(Schema.String),
  last_probe_at: Schema.NullOr(Schema.Number),
  failure: Schema.NullOr(Schema.String),
  recovered: Schema.Number,
  blamed_at: Schema.NullOr(Schema.Number),
  owed: Schema.NullOr(Schema.Number),
  tested: Schema.NullOr(Schema.Number),
  failed: Schema.NullOr(Schema.Number),
  conversations_answered: Schema.Number,
  conversations_unanswered: Schema.Number,
  conversations_refused: Schema.Number,
  ...outcomeColumns
})

export const FindingRow = Schema.Struct({ kind: FindingKind, count: Schema.Number })

/** Of a peer for whom none was recorded there is no row. */
export const StandingRow = Schema.Struct({
  suspicions: Schema.parseJson(Schema.Array(SuspectedSlot)),
  evasion: Schema.parseJson(Evasion),
  restraint: Schema.NullOr(Schema.parseJson(Restraint)),
  score: Schema.NullOr(Schema.parseJson(Score))
})

export const standingOf = ([row]: ReadonlyArray<typeof StandingRow.Type>): PeerStanding =>
  row === undefined
    ? noStanding
    : { ...row, restraint: row.restraint ?? unrestrained, score: row.score ?? neutralScore }

export const ChunkRow = Schema.Struct({ id: Schema.Number, chunk: Schema.Uint8ArrayFromSelf })

export const OrphanRow = Schema.Struct({ slot: Schema.Number, at: Schema.Number })

export const BlockRow = Schema.Struct({
  id: Schema.Number,
  slot: Schema.Number,
  root: Schema.String,
  blobs: Schema.Number
})

export const FailureRowColumns = Schema.Struct({
  outcome: OutcomeKind,
  suspicion: Schema.NullOr(SuspicionKind),
  slot: Schema.NullOr(Schema.Number),
  column: Schema.NullOr(Schema.Number),
  blockRoot: Schema.NullOr(Schema.String),
  check: Schema.NullOr(InvalidCheck),
  reason: Schema.NullOr(Schema.String)
})

/** What a probe was, without what came of it. */
export const probeFields = {
  id: Schema.Number,
  peer_id: Schema.String,
  start_slot: Schema.Number,
  count: Schema.Number,
  columns: Schema.Uint8ArrayFromSelf,
  started_at: Schema.Number,
  finished_at: Schema.Number,
  open_ms: Schema.NullOr(Schema.Number),
  first_byte_ms: Schema.NullOr(Schema.Number),
  total_ms: Schema.Number,
  requests: Schema.Number,
  bytes: Schema.Number,
  purpose: ProbePurpose,
  recovered: Schema.Number
}

export const probeOf = (row: Schema.Struct.Type<typeof probeFields>): Omit<Probe, "id" | "outcomes" | "findings"> => ({
  purpose: row.purpose,
  job: { peerId: row.peer_id, startSlot: row.start_slot, count: row.count, columns: columnsOf(row.columns) },
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  timings: { open: row.open_ms, firstByte: row.first_byte_ms, total: row.total_ms },
  requests: row.requests,
  bytes: row.bytes,
  recovered: row.recovered
})

export const ProbeRow = Schema.Struct({
  ...probeFields,
  findings: Schema.NullOr(Schema.parseJson(Schema.Array(Schema.Struct({ kind: FindingKind, detail: Schema.String })))),
  outcomes: Schema.Uint8ArrayFromSelf
})

export const ClaimRow = Schema.Struct({
  observed_at: Schema.Number,
  custody_group_count: Schema.Number,
  source: ClaimSource,
  columns: Schema.Uint8ArrayFromSelf,
  earliest_available_slot: Schema.NullOr(Schema.Number),
  head_slot: Schema.Number,
  finalized_epoch: Schema.NullOr(Schema.Number),
  finalized_root: Schema.NullOr(Schema.String),
  fork_digest: Schema.String,
  sequence_number: Schema.NullOr(Schema.Number)
})

export const claimColumns = Object.keys(ClaimRow.fields).join(", ")

export const claimOf = (row: typeof ClaimRow.Type): Claim => ({
  custodyGroupCount: row.custody_group_count,
  source: row.source,
  columns: columnsOf(row.columns),
  earliestAvailableSlot: row.earliest_available_slot,
  headSlot: row.head_slot,
  finalized:
    row.finalized_epoch === null || row.finalized_root === null
      ? null
      : { epoch: row.finalized_epoch, root: row.finalized_root },
  forkDigest: row.fork_digest,
  sequenceNumber: row.sequence_number,
  observedAt: row.observed_at
})

export const outcomeCountsOf = (row: OutcomeCounts): OutcomeCounts => ({
  success: row.success,
  missing: row.missing,
  invalid: row.invalid,
  unavailable: row.unavailable,
  malformed: row.malformed,
  timeout: row.timeout,
  disconnected: row.disconnected,
  refused: row.refused,
  unverifiable: row.unverifiable,
  suspected: row.suspected
})

export const findingCountsOf = (rows: ReadonlyArray<typeof FindingRow.Type>): FindingCounts =>
  Object.fromEntries(rows.map(({ count, kind }) => [kind, count]))
