import { outcomeKinds } from "../domain/Outcome.ts"
import { ChunkRow, claimColumns, ClaimRow, execute, IdRow, query } from "./SqliteRows.ts"

const kinds = outcomeKinds.join(", ")
const marks = (count: number): string => Array.from({ length: count }, () => "?").join(", ")
const sumOf = (column: string): string => `${column} = ${column} + excluded.${column}`
const latestOf = (column: string): string =>
  `${column} = max(coalesce(${column}, excluded.${column}), coalesce(excluded.${column}, ${column}))`

export const selectProbe = query("SELECT id FROM probes WHERE uuid = ?", IdRow)

/** Columns of `peers` that add up. */
const peerSums = [
  "probes",
  "conversations_answered",
  "conversations_unanswered",
  "conversations_refused",
  ...outcomeKinds
]
export const upsertPeer = query(
  `INSERT INTO peers
    (peer_id, agent, address, first_seen, last_seen, last_probe_at, failure, failure_blamed, ${peerSums.join(", ")})
  VALUES (${marks(8 + peerSums.length)})
  ON CONFLICT (peer_id) DO UPDATE SET
    agent = coalesce(excluded.agent, agent),
    address = coalesce(excluded.address, address),
    first_seen = coalesce(first_seen, excluded.first_seen),
    ${latestOf("last_seen")},
    ${latestOf("last_probe_at")},
    failure = iif(excluded.failure IS NULL OR failure_blamed > excluded.failure_blamed, failure, excluded.failure),
    failure_blamed = max(failure_blamed, excluded.failure_blamed),
    ${peerSums.map(sumOf).join(", ")}
  RETURNING id`,
  IdRow
)

export const upsertFinding = execute(
  `INSERT INTO findings (peer, kind, count) VALUES (?, ?, ?) ON CONFLICT (peer, kind) DO UPDATE SET ${sumOf("count")}`
)

export const selectNewestClaim = query(
  `SELECT ${claimColumns} FROM claims WHERE peer = ? ORDER BY id DESC LIMIT 1`,
  ClaimRow
)

export const insertClaim = execute(`INSERT INTO claims (peer, ${claimColumns}) VALUES (${marks(9)})`)

export const insertProbe = query(
  `INSERT INTO probes
    (uuid, peer, conversation, start_slot, count, columns, started_at, finished_at, open_ms, first_byte_ms, total_ms,
      requests, bytes, findings, outcomes, ${kinds})
  VALUES (${marks(15 + outcomeKinds.length)})
  RETURNING id`,
  IdRow
)

export const selectBlock = query("SELECT id FROM blocks WHERE slot = ? AND root = ? AND blobs = ?", IdRow)

export const insertBlock = query("INSERT INTO blocks (slot, root, blobs) VALUES (?, ?, ?) RETURNING id", IdRow)

/** All rows in one statement of fixed text, however many they are. */
export const insertFailures = execute(
  `INSERT INTO failures (probe, outcome, slot, "column", block_root, "check", reason)
  SELECT ?, value ->> 'outcome', value ->> 'slot', value ->> 'column', value ->> 'blockRoot', value ->> 'check',
    value ->> 'reason'
  FROM json_each(?)`
)

export const selectChunk = query("SELECT id, chunk FROM coverage WHERE id = ?", ChunkRow)

export const upsertChunk = execute(
  "INSERT INTO coverage (id, chunk) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET chunk = excluded.chunk"
)

export const updateTotals = execute(
  `UPDATE totals SET probes = probes + ?, ${outcomeKinds.map((kind) => `${kind} = ${kind} + ?`).join(", ")}`
)
