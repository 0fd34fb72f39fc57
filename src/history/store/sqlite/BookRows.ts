import type { Connection } from "@effect/sql/SqlConnection"
import { Array, Effect, Option, Schema } from "effect"
import { type BookEntry, bookSources } from "../../../discovery/book/BookEntry.ts"
import { neutralScore, Score } from "../../../domain/peer/Score.ts"
import type { PeerId } from "../../../domain/Primitives.ts"
import { execute, query } from "./SqliteRows.ts"

const columns = [
  "peer_id",
  "node_id",
  "multiaddrs",
  "enr",
  "seq",
  "enr_custody_group_count",
  "agent",
  "custody_group_count",
  "earliest_available_slot",
  "source",
  "first_seen",
  "last_seen",
  "reached_at",
  "audited_at",
  "tried_at",
  "failures",
  "not_before",
  "score"
] as const

/** Forgets the node of a peer id. */
export const deleteNode = execute("DELETE FROM nodes WHERE peer_id = ?")
const replaceNode = execute(
  `INSERT OR REPLACE INTO nodes (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`
)

const orNone = <A, I>(value: Schema.Schema<A, I>) => Schema.OptionFromNullOr(value)

const NodeRow = Schema.Struct({
  peer_id: Schema.String,
  node_id: orNone(Schema.Uint8ArrayFromSelf),
  multiaddrs: Schema.parseJson(Schema.Array(Schema.String)),
  enr: orNone(Schema.String),
  seq: orNone(Schema.BigInt),
  enr_custody_group_count: orNone(Schema.Number),
  agent: orNone(Schema.String),
  custody_group_count: orNone(Schema.Number),
  earliest_available_slot: Schema.NullOr(Schema.Number),
  source: Schema.Literal(...bookSources),
  first_seen: Schema.Number,
  last_seen: Schema.Number,
  reached_at: orNone(Schema.Number),
  audited_at: orNone(Schema.Number),
  tried_at: orNone(Schema.Number),
  failures: Schema.Number,
  not_before: Schema.Number,
  score: orNone(Schema.parseJson(Score))
} satisfies Record<(typeof columns)[number], Schema.Schema.Any>)

const selectAll = `SELECT ${columns.join(", ")} FROM nodes`
const selectNodes = query(selectAll, Schema.Unknown)
const readRow = Schema.decodeUnknownEither(NodeRow)
const selectNode = query(`${selectAll} WHERE peer_id = ?`, NodeRow)

/** All nodes of the address book, and how many rows cannot be read: no node is worth that the program does not start. */
export const readEntries = (connection: Connection) =>
  Effect.map(selectNodes(connection, []), (rows) => {
    const [unreadable, readable] = Array.separate(rows.map((row) => readRow(row)))
    return { entries: readable.map(entryOf), unreadable: unreadable.length }
  })

/** The node of a peer id. */
export const readEntry = (connection: Connection, peerId: PeerId) =>
  Effect.map(selectNode(connection, [peerId]), ([row]) => Option.map(Option.fromNullable(row), entryOf))

const entryOf = (row: typeof NodeRow.Type): BookEntry => ({
  peerId: row.peer_id,
  nodeId: Option.map(row.node_id, (bytes) => Uint8Array.from(bytes)),
  multiaddrs: row.multiaddrs,
  enr: row.enr,
  seq: row.seq,
  enrCustodyGroupCount: row.enr_custody_group_count,
  agent: row.agent,
  claim: Option.map(row.custody_group_count, (groupCount) => ({
    groupCount,
    earliestAvailableSlot: row.earliest_available_slot
  })),
  source: row.source,
  firstSeen: row.first_seen,
  lastSeen: row.last_seen,
  reachedAt: row.reached_at,
  auditedAt: row.audited_at,
  triedAt: row.tried_at,
  failures: row.failures,
  notBefore: row.not_before,
  score: Option.getOrElse(row.score, () => neutralScore)
})

/** Puts a node in the place of what is known of it. */
export const writeEntry = (connection: Connection, entry: BookEntry) => {
  const claim = Option.getOrNull(entry.claim)
  return replaceNode(connection, [
    entry.peerId,
    Option.getOrNull(entry.nodeId),
    JSON.stringify(entry.multiaddrs),
    Option.getOrNull(entry.enr),
    Option.getOrNull(Option.map(entry.seq, String)),
    Option.getOrNull(entry.enrCustodyGroupCount),
    Option.getOrNull(entry.agent),
    claim?.groupCount ?? null,
    claim?.earliestAvailableSlot ?? null,
    entry.source,
    entry.firstSeen,
    entry.lastSeen,
    Option.getOrNull(entry.reachedAt),
    Option.getOrNull(entry.auditedAt),
    Option.getOrNull(entry.triedAt),
    entry.failures,
    entry.notBefore,
    entry.score.value === neutralScore.value ? null : JSON.stringify(entry.score)
  ])
}
