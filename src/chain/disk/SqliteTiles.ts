import type { SqlClient } from "@effect/sql"
import { Effect, type Layer, Option, Schema } from "effect"
import { asCacheFileError, type CacheFileOptions, layerOverCacheFile } from "../../history/store/sqlite/CacheFile.ts"
import { TileStore } from "./TileStore.ts"

export type SqliteTilesOptions = Pick<CacheFileOptions, "network" | "path">

/**
 * Tiles in an SQLite file of their own, beside the history. Where it can be neither opened nor begun anew there is no `TileStore`,
 * which is told once.
 */
export const layer = (options: SqliteTilesOptions): Layer.Layer<never> =>
  layerOverCacheFile(
    { ...options, version: 1, tables: [table], check: "SELECT count(*) FROM tiles" },
    TileStore,
    (sql) => Effect.succeed(storeOver(sql)),
    "ground truth is not kept on disk, and will be asked for again after a restart"
  )

const table = "CREATE TABLE IF NOT EXISTS tiles (tile INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"

const storeOver = (sql: SqlClient.SqlClient): TileStore["Type"] =>
  TileStore.of({
    put: (tile, bytes) =>
      sql`INSERT OR REPLACE INTO tiles (tile, bytes) VALUES (${tile}, ${bytes})`.pipe(
        Effect.asVoid,
        Effect.catchAll(asCacheFileError)
      ),
    get: (tile) =>
      sql`SELECT bytes FROM tiles WHERE tile = ${tile}`.pipe(
        Effect.flatMap(decodeBytes),
        Effect.map(([row]) => Option.map(Option.fromNullable(row), ({ bytes }) => bytes)),
        Effect.catchAll(asCacheFileError)
      ),
    remove: (tile) =>
      sql`DELETE FROM tiles WHERE tile = ${tile}`.pipe(Effect.asVoid, Effect.catchAll(asCacheFileError)),
    tiles: sql`SELECT tile FROM tiles ORDER BY tile DESC`.pipe(
      Effect.flatMap(decodeTiles),
      Effect.map((rows) => rows.map(({ tile }) => tile)),
      Effect.catchAll(asCacheFileError)
    ),
    prune: (tile, most) =>
      sql`DELETE FROM tiles WHERE tile IN (SELECT tile FROM tiles WHERE tile < ${tile} ORDER BY tile LIMIT ${most})`.pipe(
        Effect.zipRight(sql.unsafe("PRAGMA incremental_vacuum(64)")),
        Effect.asVoid,
        Effect.catchAll(asCacheFileError)
      )
  })

const decodeTiles = Schema.decodeUnknown(Schema.Array(Schema.Struct({ tile: Schema.Int })))
const decodeBytes = Schema.decodeUnknown(Schema.Array(Schema.Struct({ bytes: Schema.Uint8ArrayFromSelf })))
