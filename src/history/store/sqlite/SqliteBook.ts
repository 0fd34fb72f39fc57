import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Option, Schedule, Schema } from "effect"
import type { BookEntry } from "../../../discovery/book/BookEntry.ts"
import { type Changes, makeShelf } from "../../../discovery/book/Shelf.ts"
import { daemon } from "../../../runtime/Daemon.ts"
import { makeYielder } from "../../../runtime/YieldNow.ts"
import { HistoryError } from "../History.ts"
import { explain } from "./SqliteFault.ts"
import { execute, query } from "./SqliteRows.ts"
import { inTransaction } from "./Transaction.ts"

/**
 * The address book in the database of the history, and over its connection. It is read once; what changes is written
 * behind, and once more when the scope closes. What cannot be written waits, and is never more than the book itself.
 */
export const makeBook = Effect.fn("SqliteBook.make")(function* (sql: SqlClient.SqlClient, most?: number) {
  const entries = yield* readAll(sql)
  const shelf = makeShelf({ entries, isWatched: true, ...(most === undefined ? {} : { most }) })
  const yieldIfDue = makeYielder(5)
  let isFailing = false

  const write = ({ changed, gone }: Changes) =>
    inTransaction(sql, (connection) =>
      Effect.gen(function* () {
        for (const peerId of gone) yield* deleteNode(connection, [peerId])
        for (const entry of changed) {
          yield* yieldIfDue
          yield* writeEntry(connection, entry)
        }
      })
    )

  const writeSome = Effect.suspend(() => {
    const changes = shelf.takeChanges(batch)
    const { changed, gone } = changes
    if (changed.length + gone.length === 0) return Effect.succeed(false)
    return write(changes).pipe(
      Effect.zipRight(Effect.suspend(succeeded)),
      Effect.as(changed.length === batch || gone.length === batch),
      Effect.onError(() => Effect.sync(() => shelf.putBack(changes))),
      Effect.catchAll((cause) => Effect.as(failed(explain(cause).reason), false))
    )
  })
  const writeAll = Effect.repeat(writeSome, { while: (isMore) => isMore })

  const failed = (reason: string) =>
    Effect.suspend(() => {
      if (isFailing) return Effect.void
      isFailing = true
      return Effect.logError(`the address book cannot be written, and waits: ${reason}`)
    })
  const succeeded = () => {
    if (!isFailing) return Effect.void
    isFailing = false
    return Effect.logInfo("the address book is written again")
  }

  yield* daemon("writing of the address book", writeAll, Schedule.spaced("2 seconds"))
  yield* Effect.addFinalizer(() => Effect.timeoutOption(Effect.interruptible(writeAll), "2 seconds"))
  return shelf.book
})

/** Entries that one transaction writes. */
const batch = 500

const readAll = (sql: SqlClient.SqlClient): Effect.Effect<ReadonlyArray<BookEntry>, HistoryError> =>
  Effect.scoped(Effect.flatMap(sql.reserve, (connection) => selectNodes(connection, []))).pipe(
    Effect.map((rows) => rows.map(entryOf)),
    Effect.mapError((cause) => new HistoryError({ operation: "read the address book", reason: explain(cause).reason }))
  )

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
  "not_before"
] as const

const deleteNode = execute("DELETE FROM nodes WHERE peer_id = ?")
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
  source: Schema.Literal("config", "discv5", "beacon_node", "file", "api", "inbound"),
  first_seen: Schema.Number,
  last_seen: Schema.Number,
  reached_at: orNone(Schema.Number),
  audited_at: orNone(Schema.Number),
  tried_at: orNone(Schema.Number),
  failures: Schema.Number,
  not_before: Schema.Number
} satisfies Record<(typeof columns)[number], Schema.Schema.Any>)

const selectNodes = query(`SELECT ${columns.join(", ")} FROM nodes`, NodeRow)

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
  notBefore: row.not_before
})

const writeEntry = (connection: Connection, entry: BookEntry) => {
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
    entry.notBefore
  ])
}
