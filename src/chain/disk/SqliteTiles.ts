import { rm } from "node:fs/promises"
import type { SqlClient } from "@effect/sql"
import { Context, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { openSqlite } from "../../history/store/sqlite/Sqlite.ts"
import { explain } from "../../history/store/sqlite/SqliteFault.ts"
import { TileStore, TileStoreError } from "./TileStore.ts"

export interface SqliteTilesOptions {
  /** Made if there is none. */
  readonly path: string
  /** What is kept of another network is thrown away. */
  readonly network: Pick<ChainParameters, "genesisTime" | "genesisValidatorsRoot">
}

/**
 * Tiles in an SQLite file of their own, beside the history: it holds nothing that cannot be asked for again, so one that is
 * damaged, of another network or of another version is begun anew. Where even that fails there is no `TileStore`, which is told
 * once.
 * One process at a time: the history's lock keeps others out.
 */
export const layer = (options: SqliteTilesOptions): Layer.Layer<never> =>
  Layer.scopedContext(
    open(options).pipe(
      Effect.catchIf(
        ({ isBusy }) => !isBusy,
        ({ message }) =>
          Effect.zipRight(
            Effect.logInfo(`${options.path} is begun anew: ${message}`),
            Effect.zipRight(removeFiles(options.path), open(options))
          )
      ),
      Effect.map((store): Context.Context<never> => Context.make(TileStore, store)),
      Effect.catchAll(({ message }) =>
        Effect.as(
          Effect.logWarning(
            `ground truth is not kept on disk, and will be asked for again after a restart: ${options.path}: ${message}`
          ),
          Context.empty()
        )
      )
    )
  )

const open = ({ network, path }: SqliteTilesOptions): Effect.Effect<TileStore["Type"], TileStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const sql = yield* openSqlite(path, { readonly: false })
    yield* Effect.forEach(pragmas, (pragma) => sql.unsafe(pragma), { discard: true })
    const owner = `${schemaVersion} ${network.genesisTime} ${toHex(network.genesisValidatorsRoot)}`
    yield* sql.unsafe("CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL)")
    yield* sql`INSERT OR IGNORE INTO owner (id, name) VALUES (1, ${owner})`
    const [found] = yield* Effect.flatMap(sql`SELECT name FROM owner`, decodeOwner)
    if (found.name !== owner)
      return yield* new TileStoreError({ reason: "it is of another network or version", isBusy: false })
    yield* sql.unsafe("CREATE TABLE IF NOT EXISTS tiles (tile INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
    // Reads the index from end to end: a file that is damaged there shows now.
    yield* sql.unsafe("SELECT count(*) FROM tiles")
    return storeOver(sql)
  }).pipe(Effect.catchAll(asStoreError), closedUnlessMade)

/** What came to nothing is closed at once: a file that is begun anew must not be open still. */
const closedUnlessMade = <A, E, R>(make: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.flatMap(Effect.acquireRelease(Scope.make(), Scope.close), (scope) =>
    Effect.onError(Scope.extend(make, scope), (cause) => Scope.close(scope, Exit.failCause(cause)))
  )

const pragmas = [
  "PRAGMA busy_timeout = 50",
  "PRAGMA auto_vacuum = INCREMENTAL",
  "PRAGMA journal_mode = WAL",
  // A power cut may take the last tiles, which are asked for again.
  "PRAGMA synchronous = NORMAL",
  "PRAGMA journal_size_limit = 8388608"
]

const storeOver = (sql: SqlClient.SqlClient): TileStore["Type"] =>
  TileStore.of({
    put: (tile, bytes) =>
      sql`INSERT OR REPLACE INTO tiles (tile, bytes) VALUES (${tile}, ${bytes})`.pipe(
        Effect.asVoid,
        Effect.catchAll(asStoreError)
      ),
    get: (tile) =>
      sql`SELECT bytes FROM tiles WHERE tile = ${tile}`.pipe(
        Effect.flatMap(decodeBytes),
        Effect.map(([row]) => Option.map(Option.fromNullable(row), ({ bytes }) => bytes)),
        Effect.catchAll(asStoreError)
      ),
    remove: (tile) => sql`DELETE FROM tiles WHERE tile = ${tile}`.pipe(Effect.asVoid, Effect.catchAll(asStoreError)),
    tiles: sql`SELECT tile FROM tiles ORDER BY tile DESC`.pipe(
      Effect.flatMap(decodeTiles),
      Effect.map((rows) => rows.map(({ tile }) => tile)),
      Effect.catchAll(asStoreError)
    ),
    prune: (tile, most) =>
      sql`DELETE FROM tiles WHERE tile IN (SELECT tile FROM tiles WHERE tile < ${tile} ORDER BY tile LIMIT ${most})`.pipe(
        Effect.zipRight(sql.unsafe("PRAGMA incremental_vacuum(64)")),
        Effect.asVoid,
        Effect.catchAll(asStoreError)
      )
  })

const asStoreError = (cause: unknown) => Effect.fail(storeError(cause))

const storeError = (cause: unknown): TileStoreError => {
  if (cause instanceof TileStoreError) return cause
  const { busy, reason } = explain(cause)
  return new TileStoreError({ reason, isBusy: busy })
}

const removeFiles = (path: string) =>
  Effect.forEach(["", "-wal", "-shm", "-journal"], (end) =>
    Effect.tryPromise({
      try: () => rm(`${path}${end}`, { force: true }),
      catch: storeError
    })
  )

const schemaVersion = 1

const decodeOwner = Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ name: Schema.String })))
const decodeTiles = Schema.decodeUnknown(Schema.Array(Schema.Struct({ tile: Schema.Int })))
const decodeBytes = Schema.decodeUnknown(Schema.Array(Schema.Struct({ bytes: Schema.Uint8ArrayFromSelf })))
