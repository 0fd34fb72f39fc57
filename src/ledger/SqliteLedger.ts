import { randomBytes } from "node:crypto"
import type { SqlClient } from "@effect/sql"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, type Layer, Schema } from "effect"
import { fromHex, toHex } from "../domain/Bytes.ts"
import type { Root } from "../domain/Primitives.ts"
import { asCacheFileError, type CacheFileOptions, layerOverCacheFile } from "../history/store/sqlite/CacheFile.ts"
import { inTransaction } from "../history/store/sqlite/Transaction.ts"
import { secretBytes } from "./Digest.ts"
import { type LedgerRow, LedgerStore } from "./LedgerStore.ts"

export interface SqliteLedgerOptions extends Pick<CacheFileOptions, "network" | "path"> {
  /** Bytes of the file; the oldest blocks go first. */
  readonly mostBytes: number
}

/**
 * The ledger in an SQLite file of its own, beside the history. Where it cannot be opened nor begun anew there is no
 * `LedgerStore`, which is told once.
 */
export const layer = (options: SqliteLedgerOptions): Layer.Layer<never> =>
  layerOverCacheFile(
    { ...options, version: 1, tables, check: "SELECT count(*) FROM proven" },
    LedgerStore,
    (sql) => storeOver(sql, options.mostBytes),
    "proven columns are not kept on disk, and will be proven again after a restart"
  )

const tables = [
  "CREATE TABLE IF NOT EXISTS secret (id INTEGER PRIMARY KEY CHECK (id = 1), bytes BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS proven (root BLOB NOT NULL UNIQUE, slot INTEGER NOT NULL, bytes BLOB NOT NULL)",
  "CREATE INDEX IF NOT EXISTS proven_slots ON proven (slot)"
]

const storeOver = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, mostBytes: number) {
  const secret = yield* sql`INSERT OR IGNORE INTO secret (id, bytes) VALUES (1, ${randomBytes(secretBytes)})`.pipe(
    Effect.zipRight(sql`SELECT bytes FROM secret`),
    Effect.flatMap(decodeSecret),
    Effect.map(([{ bytes }]) => bytes),
    Effect.catchAll(asCacheFileError)
  )
  return LedgerStore.of({
    secret,
    load: (roots) =>
      sql`SELECT root, slot, bytes FROM proven WHERE root IN (SELECT unhex(value) FROM json_each(${listOf(roots)}))`.pipe(
        Effect.flatMap(decodeRows),
        Effect.map((rows) => rows.map(({ bytes, root, slot }): LedgerRow => ({ root: toHex(root), slot, bytes }))),
        Effect.catchAll(asCacheFileError)
      ),
    save: (rows) =>
      inTransaction(sql, (connection) =>
        Effect.forEach(
          rows,
          ({ bytes, root, slot }) =>
            connection.executeRaw("INSERT OR REPLACE INTO proven (root, slot, bytes) VALUES (?, ?, ?)", [
              fromHex(root),
              slot,
              bytes
            ]),
          { discard: true }
        )
      ).pipe(Effect.catchAll(asCacheFileError)),
    prune: (slot) =>
      sql`DELETE FROM proven WHERE rowid IN (SELECT rowid FROM proven WHERE slot < ${slot} ORDER BY slot LIMIT ${mostPruned})`.pipe(
        Effect.zipRight(
          // Counts pages: a sum over the rows would read them all.
          Effect.flatMap(
            sql`SELECT (page_count - freelist_count) * page_size AS bytes
              FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
            decodeSum
          )
        ),
        Effect.flatMap(([{ bytes }]): Effect.Effect<void, SqlError> => {
          const surplus = Math.min(mostPruned, Math.ceil((bytes - mostBytes) / fullRow))
          return surplus <= 0
            ? Effect.void
            : Effect.asVoid(
                sql`DELETE FROM proven WHERE rowid IN (SELECT rowid FROM proven ORDER BY slot LIMIT ${surplus})`
              )
        }),
        Effect.zipRight(sql.unsafe("PRAGMA incremental_vacuum(256)")),
        Effect.asVoid,
        Effect.catchAll(asCacheFileError)
      )
  })
})

/** Of one pass. */
const mostPruned = 1_000
/** Bytes of the row of a block with all its columns. */
const fullRow = 2_100

const listOf = (roots: ReadonlyArray<Root>): string => JSON.stringify(roots.map((root) => root.slice(2)))

const decodeSecret = Schema.decodeUnknown(
  Schema.Tuple(
    Schema.Struct({
      bytes: Schema.Uint8ArrayFromSelf.pipe(
        Schema.filter((bytes) => bytes.length === secretBytes || `the secret has ${bytes.length} bytes`)
      )
    })
  )
)
const decodeRows = Schema.decodeUnknown(
  Schema.Array(Schema.Struct({ root: Schema.Uint8ArrayFromSelf, slot: Schema.Int, bytes: Schema.Uint8ArrayFromSelf }))
)
const decodeSum = Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ bytes: Schema.Number })))
