import type { SqlClient } from "@effect/sql"
import { Effect, Layer, Option, Schema } from "effect"
import { fromHex, toHex } from "../domain/Bytes.ts"
import { forkNames } from "../domain/network/Chain.ts"
import { type CacheFileOptions, openCacheFile } from "../history/store/sqlite/CacheFile.ts"
import { explain } from "../history/store/sqlite/SqliteFault.ts"
import { inTransaction } from "../history/store/sqlite/Transaction.ts"
import { absentStore, CustodyStore, CustodyStoreError, type KeptBlock, prunedAtOnce } from "./CustodyStore.ts"

export interface SqliteCustodyOptions extends Pick<CacheFileOptions, "network" | "path"> {
  /** Bytes of the file, beyond which nothing is taken, as on a full disk; no limit if left out. */
  readonly maxBytes?: number
}

/**
 * In an SQLite file of its own, beside the history. One that is damaged, or of another network, is begun anew: what was in
 * it is no longer claimed then, since the claim is made from what the file holds. Where it cannot be opened at all, that is
 * told, and nothing is claimed.
 */
export const layer = (options: SqliteCustodyOptions): Layer.Layer<CustodyStore> =>
  Layer.scoped(
    CustodyStore,
    openCacheFile({ ...options, version: 1, tables, check: "SELECT count(*) FROM kept INDEXED BY kept_by_slot" }).pipe(
      Effect.tap((sql) => (options.maxBytes === undefined ? Effect.void : limitPages(sql, options.maxBytes))),
      Effect.map(storeOver),
      Effect.catchAll(({ message }) => {
        const reason = `${options.path}: ${message}`
        return Effect.as(
          Effect.logError(`nothing is kept of our own columns, and none are claimed: ${reason}`),
          absentStore(reason)
        )
      })
    )
  )

const tables = [
  `CREATE TABLE IF NOT EXISTS kept (
    slot INTEGER NOT NULL, root BLOB NOT NULL, col INTEGER NOT NULL, fork TEXT NOT NULL, size INTEGER NOT NULL, ssz BLOB NOT NULL
  )`,
  "CREATE UNIQUE INDEX IF NOT EXISTS kept_by_root ON kept (root, col)",
  // With all that is asked of many: the sidecars themselves are far apart.
  "CREATE INDEX IF NOT EXISTS kept_by_slot ON kept (slot, root, col, size)"
]

const limitPages = (sql: SqlClient.SqlClient, maxBytes: number) =>
  Effect.catchAll(sql.unsafe(`PRAGMA max_page_count = ${Math.ceil(maxBytes / 4096)}`), failed)

const storeOver = (sql: SqlClient.SqlClient): CustodyStore["Type"] =>
  CustodyStore.of({
    put: (columns) =>
      inTransaction(sql, (connection) =>
        Effect.forEach(
          columns,
          ({ column, fork, root, slot, ssz }) =>
            connection.executeRaw(
              "INSERT OR IGNORE INTO kept (slot, root, col, fork, size, ssz) VALUES (?, ?, ?, ?, ?, ?)",
              [slot, fromHex(root), column, fork, ssz.length, ssz]
            ),
          { discard: true }
        )
      ).pipe(Effect.catchAll(failed)),
    blocks: ({ end, start }) =>
      sql`SELECT slot, root, col FROM kept INDEXED BY kept_by_slot
        WHERE slot BETWEEN ${start} AND ${end} ORDER BY slot, root, col`.pipe(
        Effect.flatMap(decodePlaces),
        Effect.map(blocksOf),
        Effect.catchAll(failed)
      ),
    block: (root) =>
      sql`SELECT slot, root, col FROM kept WHERE root = ${fromHex(root)} ORDER BY col`.pipe(
        Effect.flatMap(decodePlaces),
        Effect.map((places) => Option.fromNullable(blocksOf(places)[0])),
        Effect.catchAll(failed)
      ),
    read: (root, column) =>
      sql`SELECT slot, fork, ssz FROM kept WHERE root = ${fromHex(root)} AND col = ${column}`.pipe(
        Effect.flatMap(decodeSidecars),
        Effect.map(([found]) => Option.map(Option.fromNullable(found), (one) => ({ ...one, root, column }))),
        Effect.catchAll(failed)
      ),
    remove: (root) => sql`DELETE FROM kept WHERE root = ${fromHex(root)}`.pipe(Effect.asVoid, Effect.catchAll(failed)),
    prune: (slot) =>
      sql`DELETE FROM kept WHERE rowid IN (
          SELECT rowid FROM kept WHERE slot < ${slot} ORDER BY slot LIMIT ${prunedAtOnce}
        ) RETURNING slot`.pipe(
        Effect.zipLeft(sql.unsafe("PRAGMA incremental_vacuum(64)")),
        Effect.map((removed) => removed.length === prunedAtOnce),
        Effect.catchAll(failed)
      ),
    oldest: (most) =>
      sql`SELECT slot, sum(size) AS bytes FROM kept INDEXED BY kept_by_slot GROUP BY slot ORDER BY slot LIMIT ${most}`.pipe(
        Effect.flatMap(decodeSums),
        Effect.catchAll(failed)
      ),
    // Counts pages: a sum over the rows would read them all.
    bytes: sql`SELECT (page_count - freelist_count) * page_size AS bytes
      FROM pragma_page_count, pragma_freelist_count, pragma_page_size`.pipe(
      Effect.flatMap(decodeBytes),
      Effect.map(([{ bytes }]) => bytes),
      Effect.catchAll(failed)
    )
  })

const failed = (cause: unknown): Effect.Effect<never, CustodyStoreError> =>
  Effect.fail(new CustodyStoreError({ reason: explain(cause).reason }))

/** Of rows by slot, root and column. */
const blocksOf = (places: ReadonlyArray<typeof Place.Type>): ReadonlyArray<KeptBlock> => {
  const blocks: Array<KeptBlock & { readonly columns: Array<number> }> = []
  for (const { col, root, slot } of places) {
    const name = toHex(root)
    const last = blocks.at(-1)
    if (last?.root === name) last.columns.push(col)
    else blocks.push({ slot, root: name, columns: [col] })
  }
  return blocks
}

const Place = Schema.Struct({ slot: Schema.Int, root: Schema.Uint8ArrayFromSelf, col: Schema.Int })
const decodePlaces = Schema.decodeUnknown(Schema.Array(Place))
const decodeSidecars = Schema.decodeUnknown(
  Schema.Array(Schema.Struct({ slot: Schema.Int, fork: Schema.Literal(...forkNames), ssz: Schema.Uint8ArrayFromSelf }))
)
const decodeSums = Schema.decodeUnknown(Schema.Array(Schema.Struct({ slot: Schema.Int, bytes: Schema.Int })))
const decodeBytes = Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ bytes: Schema.Int })))
