import { rm } from "node:fs/promises"
import type { SqlClient } from "@effect/sql"
import { Context, Data, Effect, Exit, Layer, Schema, Scope } from "effect"
import { toHex } from "../../../domain/Bytes.ts"
import type { ChainParameters } from "../../../domain/network/Chain.ts"
import { openSqlite } from "./Sqlite.ts"
import { explain } from "./SqliteFault.ts"

/** What ails such a file. Nothing is lost with it but time. */
export class CacheFileError extends Data.TaggedError("CacheFileError")<{
  readonly reason: string
  /** The fault is not in it: another process has it, say, or the disk is full. */
  readonly mayBeWhole: boolean
}> {
  override get message(): string {
    return this.reason
  }
}

export interface CacheFileOptions {
  /** Made if there is none. */
  readonly path: string
  /** What is kept of another network is thrown away. */
  readonly network: Pick<ChainParameters, "genesisTime" | "genesisValidatorsRoot">
  /** What is kept of another version is thrown away. */
  readonly version: number
  /** Makes the tables that are not there. */
  readonly tables: ReadonlyArray<string>
  /** Reads an index from end to end: a file that is damaged there shows at once. */
  readonly check: string
}

/**
 * Opens an SQLite file beside the history that holds nothing which cannot be had again: one that is damaged, of another
 * network or of another version is begun anew. Fails where even that does, and where the fault is not in the file, which
 * is left as it is then. One process at a time: the history's lock keeps others out.
 */
export const openCacheFile = (
  options: CacheFileOptions
): Effect.Effect<SqlClient.SqlClient, CacheFileError, Scope.Scope> =>
  Effect.catchIf(
    open(options),
    ({ mayBeWhole }) => !mayBeWhole,
    ({ message }) =>
      Effect.logInfo(`${options.path} is begun anew: ${message}`).pipe(
        Effect.zipRight(removeFiles(options.path)),
        Effect.zipRight(open(options))
      )
  )

/**
 * A store over such a file. Where the file can be neither opened nor begun anew there is no such service, which is told
 * once: `without` says what that comes to.
 */
export const layerOverCacheFile = <I, S>(
  options: CacheFileOptions,
  tag: Context.Tag<I, S>,
  storeOver: (sql: SqlClient.SqlClient) => Effect.Effect<S, CacheFileError>,
  without: string
): Layer.Layer<never> =>
  Layer.scopedContext(
    openCacheFile(options).pipe(
      Effect.flatMap(storeOver),
      Effect.map((store): Context.Context<never> => Context.make(tag, store)),
      Effect.catchAll(({ message }) =>
        Effect.as(Effect.logWarning(`${without}: ${options.path}: ${message}`), Context.empty())
      )
    )
  )

/** Of whoever goes on without the disk where it fails: the first failure is told, under this name. */
export const makeToldOnce = (what: string) => {
  let isTold = false
  const tell = ({ message }: CacheFileError): Effect.Effect<void> => {
    if (isTold) return Effect.void
    isTold = true
    return Effect.logWarning(`${what}: ${message}`)
  }
  const heeded = <A>(effect: Effect.Effect<A, CacheFileError>, otherwise: A): Effect.Effect<A> =>
    Effect.catchAll(effect, (error) => Effect.as(tell(error), otherwise))
  return { tell, heeded }
}

/** For `catchAll` behind whatever is done with the file. */
export const asCacheFileError = (cause: unknown): Effect.Effect<never, CacheFileError> => Effect.fail(errorOf(cause))

const open = ({ check, network, path, tables, version }: CacheFileOptions) =>
  Effect.gen(function* () {
    const sql = yield* openSqlite(path, { readonly: false })
    yield* Effect.forEach(pragmas, (pragma) => sql.unsafe(pragma), { discard: true })
    const owner = `${version} ${network.genesisTime} ${toHex(network.genesisValidatorsRoot)}`
    yield* sql.unsafe("CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL)")
    yield* sql`INSERT OR IGNORE INTO owner (id, name) VALUES (1, ${owner})`
    const [found] = yield* Effect.flatMap(sql`SELECT name FROM owner`, decodeOwner)
    if (found.name !== owner) {
      return yield* new CacheFileError({ reason: "it is of another network or version", mayBeWhole: false })
    }
    yield* Effect.forEach(tables, (table) => sql.unsafe(table), { discard: true })
    yield* sql.unsafe(check)
    return sql
  }).pipe(Effect.catchAll(asCacheFileError), closedUnlessMade)

/** What came to nothing is closed at once: a file that is begun anew must not be open still. */
const closedUnlessMade = <A, E, R>(make: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.flatMap(Effect.acquireRelease(Scope.make(), Scope.close), (scope) =>
    Effect.onError(Scope.extend(make, scope), (cause) => Scope.close(scope, Exit.failCause(cause)))
  )

const pragmas = [
  "PRAGMA busy_timeout = 50",
  "PRAGMA auto_vacuum = INCREMENTAL",
  "PRAGMA journal_mode = WAL",
  // A power cut may take what came last, which can be had again.
  "PRAGMA synchronous = NORMAL",
  "PRAGMA journal_size_limit = 8388608"
]

const errorOf = (cause: unknown): CacheFileError => {
  if (cause instanceof CacheFileError) return cause
  const { damage, reason } = explain(cause)
  return new CacheFileError({ reason, mayBeWhole: !damage })
}

const removeFiles = (path: string) =>
  Effect.forEach(["", "-wal", "-shm", "-journal"], (end) =>
    Effect.tryPromise({
      try: () => rm(`${path}${end}`, { force: true }),
      catch: errorOf
    })
  )

const decodeOwner = Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ name: Schema.String })))
