import { Schema } from "effect"
import { type OutcomeCounts, outcomeKinds } from "../../../domain/probe/Outcome.ts"
import { ChunkRow, claimColumns, ClaimRow, execute, IdRow, query } from "./SqliteRows.ts"

const kinds = outcomeKinds.join(", ")
const marks = (count: number): string => Array.from({ length: count }, () => "?").join(", ")
const sumOf = (column: string): string => `${column} = ${column} + excluded.${column}`
const latestOf = (column: string): string =>
  `${column} = max(coalesce(${column}, excluded.${column}), coalesce(excluded.${column}, ${column}))`

/** Counts as parameters, in the order of the columns. */
export const inOrder = (counts: OutcomeCounts): ReadonlyArray<number> => outcomeKinds.map((kind) => counts[kind])

export const selectProbe = query("SELECT id FROM probes WHERE uuid = ?", IdRow)

/** Columns of `peers` that add up. */
const peerSums = [
  "probes",
  "conversations_answered",
  "conversations_unanswered",
  "conversations_refused",
  "recovered",
  ...outcomeKinds
]
export const upsertPeer = query(
  `INSERT INTO peers
    (peer_id, agent, address, first_seen, last_seen, last_probe_at, failure, failure_blamed, owed, tested, failed,
      coverage_at, blamed_at, recorded_at, ${peerSums.join(", ")})
  VALUES (${marks(14 + peerSums.length)})
  ON CONFLICT (peer_id) DO UPDATE SET
    agent = coalesce(excluded.agent, agent),
    address = coalesce(excluded.address, address),
    first_seen = coalesce(first_seen, excluded.first_seen),
    ${latestOf("last_seen")},
    ${latestOf("last_probe_at")},
    failure = iif(excluded.failure IS NULL OR failure_blamed > excluded.failure_blamed, failure, excluded.failure),
    failure_blamed = max(failure_blamed, excluded.failure_blamed),
    owed = coalesce(excluded.owed, owed),
    tested = coalesce(excluded.tested, tested),
    failed = coalesce(excluded.failed, failed),
    coverage_at = coalesce(excluded.coverage_at, coverage_at),
    ${latestOf("blamed_at")},
    ${latestOf("recorded_at")},
    ${peerSums.map(sumOf).join(", ")}
  RETURNING id, agent`,
  Schema.Struct({ id: Schema.Number, agent: Schema.NullOr(Schema.String) })
)

export const upsertFinding = execute(
  `INSERT INTO findings (peer, kind, count) VALUES (?, ?, ?) ON CONFLICT (peer, kind) DO UPDATE SET ${sumOf("count")}`
)

export const upsertStanding = execute(
  `INSERT INTO standings (peer, suspicions, evasion, restraint, score) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (peer) DO UPDATE SET
    suspicions = excluded.suspicions, evasion = excluded.evasion, restraint = excluded.restraint,
    score = excluded.score`
)

export const selectNewestClaim = query(
  `SELECT ${claimColumns} FROM claims WHERE peer = ? ORDER BY id DESC LIMIT 1`,
  ClaimRow
)

/** The newest claims of a peer, and one that comes after them. */
export const selectNewestClaims = query(
  "SELECT id, observed_at, custody_group_count FROM claims WHERE peer = ? ORDER BY id DESC LIMIT ?",
  Schema.Struct({ id: Schema.Number, observed_at: Schema.Number, custody_group_count: Schema.Number })
)

export const deleteClaim = execute("DELETE FROM claims WHERE id = ?")

export const countClaim = execute("UPDATE peers SET claim_changes = claim_changes + 1 WHERE id = ?")

export const insertClaim = execute(`INSERT INTO claims (peer, ${claimColumns}) VALUES (${marks(11)})`)

export const insertProbe = query(
  `INSERT INTO probes
    (uuid, peer, conversation, start_slot, count, columns, started_at, finished_at, open_ms, first_byte_ms, total_ms,
      requests, bytes, purpose, recovered, findings, outcomes, ${kinds})
  VALUES (${marks(17 + outcomeKinds.length)})
  RETURNING id`,
  IdRow
)

export const selectBlock = query("SELECT id FROM blocks WHERE slot = ? AND root = ? AND blobs = ?", IdRow)

export const insertBlock = query("INSERT INTO blocks (slot, root, blobs) VALUES (?, ?, ?) RETURNING id", IdRow)

/** All rows in one statement of fixed text, however many they are. */
export const insertFailures = execute(
  `INSERT INTO failures (probe, outcome, suspicion, slot, "column", block_root, "check", reason)
  SELECT ?, value ->> 'outcome', value ->> 'suspicion', value ->> 'slot', value ->> 'column', value ->> 'blockRoot', value ->> 'check',
    value ->> 'reason'
  FROM json_each(?)`
)

export const selectChunk = query("SELECT id, chunk FROM coverage WHERE id = ?", ChunkRow)

export const upsertChunk = execute(
  "INSERT INTO coverage (id, chunk) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET chunk = excluded.chunk"
)

export const upsertOrphan = execute(
  `INSERT INTO orphans (slot, root, at) VALUES (?, ?, ?) ON CONFLICT (slot, root) DO UPDATE SET ${latestOf("at")}`
)

export const selectOrphans = query(
  "SELECT slot, root, at FROM orphans",
  Schema.Struct({ slot: Schema.Number, root: Schema.String, at: Schema.Number })
)

export const selectNetwork = query(
  "SELECT genesis_time, slot_duration_ms FROM network WHERE slot_duration_ms IS NOT NULL",
  Schema.Struct({ genesis_time: Schema.Number, slot_duration_ms: Schema.Number })
)

/** No row where there are too many agents already, and this one is new. */
export const upsertAgent = query(
  `INSERT INTO agents (agent, day)
  SELECT ?, ? WHERE EXISTS (SELECT 1 FROM agents WHERE agent = ?) OR (SELECT count(*) FROM agents) < ?
  ON CONFLICT (agent) DO UPDATE SET ${latestOf("day")} RETURNING id`,
  IdRow
)

const addOutcomes = outcomeKinds.map(sumOf).join(", ")

export const upsertSum = execute(
  `INSERT INTO sums (day, peer, agent, custody_group_count, probes, bytes, ${kinds})
  VALUES (${marks(6 + outcomeKinds.length)})
  ON CONFLICT (day, peer, agent, custody_group_count) DO UPDATE
  SET ${sumOf("probes")}, ${sumOf("bytes")}, ${addOutcomes}`
)

export const upsertColumnSum = execute(
  `INSERT INTO column_sums (day, "column", ${kinds}) VALUES (${marks(2 + outcomeKinds.length)})
  ON CONFLICT (day, "column") DO UPDATE SET ${addOutcomes}`
)

export const upsertAgeSum = execute(
  `INSERT INTO age_sums (day, age, ${kinds}) VALUES (${marks(2 + outcomeKinds.length)})
  ON CONFLICT (day, age) DO UPDATE SET ${addOutcomes}`
)

export const updateTotals = execute(
  `UPDATE totals SET probes = probes + ?, ${outcomeKinds.map((kind) => `${kind} = ${kind} + ?`).join(", ")}`
)
