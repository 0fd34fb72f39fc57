import type { Connection } from "@effect/sql/SqlConnection"
import { Schema } from "effect"
import { SlotVerdict } from "../../../domain/availability/SlotVerdict.ts"
import { columnsOf, maskOf } from "../../../domain/column/ColumnMask.ts"
import { execute, query } from "./SqliteRows.ts"

/** Writes what sampling a block came to, unless it is known. */
export const writeVerdict = (connection: Connection, verdict: SlotVerdict) =>
  insertVerdict(connection, [
    verdict.slot,
    verdict.blockRoot,
    verdict.blobs,
    verdict.verdict,
    verdict.reason,
    verdict.samples,
    verdict.allowedFailures,
    verdict.passingProbability,
    maskOf(verdict.present),
    maskOf(verdict.absent),
    maskOf(verdict.unanswered),
    verdict.peers,
    JSON.stringify(verdict.clients),
    verdict.startedAt,
    verdict.decidedAt,
    verdict.decidedAfterMs,
    verdict.held
  ])

const insertVerdict = execute(
  `INSERT OR IGNORE INTO availability (slot, root, blobs, verdict, reason, samples, allowed_failures, passing_probability,
    present, absent, unanswered, peers, clients, started_at, decided_at, decided_after_ms, held)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

const { clients, verdict } = SlotVerdict.fields

const VerdictRow = Schema.Struct({
  id: Schema.Number,
  slot: Schema.Number,
  root: Schema.String,
  blobs: Schema.Number,
  verdict,
  reason: Schema.String,
  samples: Schema.Number,
  allowed_failures: Schema.Number,
  passing_probability: Schema.NullOr(Schema.Number),
  present: Schema.Uint8ArrayFromSelf,
  absent: Schema.Uint8ArrayFromSelf,
  unanswered: Schema.Uint8ArrayFromSelf,
  peers: Schema.Number,
  clients: Schema.parseJson(clients),
  started_at: Schema.Number,
  decided_at: Schema.Number,
  decided_after_ms: Schema.Number,
  held: Schema.Number
})

/** A row as the verdict that it is. */
export const verdictOf = (row: typeof VerdictRow.Type): SlotVerdict => ({
  slot: row.slot,
  blockRoot: row.root,
  blobs: row.blobs,
  verdict: row.verdict,
  reason: row.reason,
  samples: row.samples,
  allowedFailures: row.allowed_failures,
  passingProbability: row.passing_probability,
  present: columnsOf(row.present),
  absent: columnsOf(row.absent),
  unanswered: columnsOf(row.unanswered),
  peers: row.peers,
  clients: row.clients,
  startedAt: row.started_at,
  decidedAt: row.decided_at,
  decidedAfterMs: row.decided_after_ms,
  held: row.held
})

/** Those of the blocks of one slot. */
export const selectVerdictsOf = query("SELECT * FROM availability WHERE slot = ? ORDER BY id", VerdictRow)

/** Those decided since, with a lower number than that, the newest first. */
export const selectVerdicts = query(
  "SELECT * FROM availability WHERE id < ? AND decided_at >= ? ORDER BY id DESC LIMIT ?",
  VerdictRow
)

/** All that were decided since, as far as their time goes. */
export const selectTimes = query(
  `SELECT verdict, decided_after_ms AS decidedAfterMs FROM availability WHERE decided_at >= ?`,
  Schema.Struct({ verdict, decidedAfterMs: Schema.Number })
)
