import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { maxRequestBlocks } from "../../domain/network/Chain.ts"
import { type OutcomeKind, outcomeKinds } from "../../domain/probe/Outcome.ts"
import { hasColumn } from "../../domain/column/ColumnMask.ts"
import { decodeSections } from "../store/sqlite/OutcomeSections.ts"
import {
  type Claims,
  type ClaimsOptions,
  defaultLimit,
  type Failures,
  type FailuresOptions,
  type FailureView,
  type ProbePage,
  type ProbesOptions,
  type ProbeSummary
} from "../../domain/report/Question.ts"
import { anyFailure } from "../store/sqlite/migrations/Migration0004.ts"
import { claimsOf, selectClaims, selectFailures } from "../store/sqlite/ReadStatements.ts"
import { countsRow, type ReadError } from "./ReportRows.ts"
import { outcomeCountsOf, probeFields, probeOf, query } from "../store/sqlite/SqliteRows.ts"

/** The newest probes of those that are asked for. */
export const probes = Effect.fnUntraced(function* (
  connection: Connection,
  options: typeof ProbesOptions.Type
): Effect.fn.Return<typeof ProbePage.Type, ReadError> {
  const limit = options.limit ?? 100
  const pageRows = Math.max(limit, 50)
  const select = statementFor(options, pageRows)
  const found: Array<ProbeSummary> = []
  let before = options.before ?? newest
  for (let looked = 0; looked < mostLooked; looked += pageRows) {
    const rows = yield* select(connection, before)
    for (const row of rows) {
      if (matches(row, options)) found.push(summaryOf(row))
      before = row.id
      if (found.length === limit) return { probes: found, next: before }
    }
    if (rows.length < pageRows) return { probes: found, next: null }
  }
  return { probes: found, next: before }
})

/** What a peer failed at last, and why. */
export const failures = Effect.fnUntraced(function* (
  connection: Connection,
  { limit = defaultLimit, peerId }: typeof FailuresOptions.Type
): Effect.fn.Return<typeof Failures.Type, ReadError> {
  const found: Array<FailureView> = []
  for (const probe of yield* selectFailedProbes(connection, [peerId, limit])) {
    const rows = yield* selectFailures(connection, [probe.id])
    const own = (kind: OutcomeKind) => rows.filter(({ outcome, slot }) => outcome === kind && slot !== null).length
    for (const row of rows) {
      const combinations = row.slot === null ? probe[row.outcome] - own(row.outcome) : 1
      found.push({ probeId: probe.uuid, at: probe.finished_at, combinations, ...row })
      if (found.length === limit) return found
    }
  }
  return found
})

/** What a peer claimed last, one claim a change. */
export const claims = (
  connection: Connection,
  { limit = defaultLimit, peerId }: typeof ClaimsOptions.Type
): Effect.Effect<typeof Claims.Type, ReadError> => Effect.map(selectClaims(connection, [peerId, limit]), claimsOf)

const SummaryRow = countsRow({ ...probeFields, uuid: Schema.String, sections: Schema.Uint8ArrayFromSelf })

const summaryOf = (row: typeof SummaryRow.Type): ProbeSummary => ({
  id: row.uuid,
  ...probeOf(row),
  outcomes: outcomeCountsOf(row)
})

/** What the statement cannot tell: which outcome was whose. */
const matches = (row: typeof SummaryRow.Type, { column, outcome, slot }: typeof ProbesOptions.Type): boolean => {
  if (slot === undefined && column === undefined) return true
  return decodeSections(row.sections).some(
    (section) =>
      (slot === undefined || section.slot === slot) &&
      [...section.masks].some(
        ([kind, mask]) =>
          (outcome === undefined || kind === outcome) && (column === undefined || hasColumn(mask, 0, column))
      )
  )
}

/** Rows that are read for one page: what is rare takes several pages, each within its time. */
const mostLooked = 10_000
/** More than any id. */
const newest = Number.MAX_SAFE_INTEGER

/** Each is by the index that leaves the fewest rows; the planner, which has no statistics, would often read them all. */
const statementFor = ({ column, outcome, peerId, slot }: typeof ProbesOptions.Type, rows: number) => {
  const ofColumn = column === undefined ? [null, null, 1] : [1, bytesWithBit(column & 7), (column >> 3) + 1]
  const [select, ...parameters] =
    slot !== undefined
      ? [bySlot, slot - maxRequestBlocks + 1, slot, slot, peerId ?? null, peerId ?? null, outcome ?? null]
      : peerId !== undefined
        ? [byPeer, peerId, outcome ?? null]
        : [outcome === undefined ? all : byOutcome[outcome]]
  return (connection: Connection, before: number) => select(connection, [...parameters, ...ofColumn, before, rows])
}

const summaryColumns = `probes.id, uuid, peers.peer_id, start_slot, count, columns, started_at, finished_at, open_ms,
  first_byte_ms, total_ms, requests, bytes, purpose, probes.recovered AS recovered, outcomes AS sections,
  ${outcomeKinds.map((kind) => `probes.${kind} AS ${kind}`).join(", ")}`

/** `from` is a query for ids, newest first. */
const summaries = (from: string) =>
  query(
    `WITH page AS MATERIALIZED (${from})
    SELECT ${summaryColumns}
    FROM page CROSS JOIN probes ON probes.id = page.id CROSS JOIN peers ON peers.id = probes.peer ORDER BY probes.id DESC`,
    SummaryRow
  )

/** Its parameter is an outcome, or NULL for any. */
const hasOutcome = `CASE ? ${outcomeKinds.map((kind) => `WHEN '${kind}' THEN ${kind} > 0`).join(" ")} ELSE 1 END`

/** Its parameters: NULL for any column, every byte with the column's bit, and which byte of the mask that is in. */
const hasColumnSql = "iif(? IS NULL, 1, instr(?, substr(columns, ?, 1)) > 0)"

const bytesWithBit = (bit: number): Uint8Array =>
  Uint8Array.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => (byte & (1 << bit)) !== 0))

const all = summaries(`SELECT id FROM probes WHERE ${hasColumnSql} AND id < ? ORDER BY id DESC LIMIT ?`)

const byPeer = summaries(
  `SELECT id FROM probes INDEXED BY probes_by_peer
  WHERE peer = (SELECT id FROM peers WHERE peer_id = ?) AND ${hasOutcome} AND ${hasColumnSql} AND id < ? ORDER BY id DESC LIMIT ?`
)

const bySlot = summaries(
  `SELECT id FROM probes INDEXED BY probes_by_slot
  WHERE start_slot BETWEEN ? AND ? AND start_slot + count > ?
    AND iif(? IS NULL, 1, peer = (SELECT id FROM peers WHERE peer_id = ?)) AND ${hasOutcome} AND ${hasColumnSql} AND id < ?
  ORDER BY id DESC LIMIT ?`
)

const byKind = (kind: OutcomeKind) =>
  summaries(`SELECT id FROM probes WHERE ${kind} > 0 AND ${hasColumnSql} AND id < ? ORDER BY id DESC LIMIT ?`)

const byOutcome: Readonly<Record<OutcomeKind, typeof all>> = {
  success: byKind("success"),
  missing: byKind("missing"),
  invalid: byKind("invalid"),
  unavailable: byKind("unavailable"),
  malformed: byKind("malformed"),
  timeout: byKind("timeout"),
  disconnected: byKind("disconnected"),
  refused: byKind("refused"),
  unverifiable: byKind("unverifiable"),
  suspected: byKind("suspected")
}

const selectFailedProbes = query(
  `SELECT id, uuid, finished_at, ${outcomeKinds.join(", ")} FROM probes INDEXED BY probes_failed
  WHERE peer = (SELECT id FROM peers WHERE peer_id = ?) AND ${anyFailure} ORDER BY id DESC LIMIT ?`,
  countsRow({ id: Schema.Number, uuid: Schema.String, finished_at: Schema.Number })
)
