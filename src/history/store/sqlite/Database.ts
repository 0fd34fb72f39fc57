import { stat } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { HistoryError } from "../History.ts"
import { applicationId, migrations, schemaVersion } from "./migrations/Migrations.ts"
import { claimFor, type NetworkIdentity } from "./NetworkOwner.ts"
import { openSqlite } from "./Sqlite.ts"
import { explain } from "./SqliteFault.ts"

/**
 * Opens the history at `path`, makes it if there is none, brings it to the schema of this program, and keeps every
 * other writer out until the scope closes. Fails with what is wrong and what to do about it.
 */
export const openDatabase = (path: string, network?: NetworkIdentity) =>
  Effect.gen(function* () {
    yield* checkPlace(path)
    yield* lockFor(path)
    const sql = yield* connect(path)
    // Checkpoints happen in passing; a reader in another process may keep this last one from finishing.
    yield* Effect.addFinalizer(() => Effect.ignore(sql.unsafe("PRAGMA wal_checkpoint(TRUNCATE)")))
    yield* prepare(sql, path).pipe(
      Effect.zipRight(network === undefined ? Effect.void : claimFor(sql, path, network)),
      Effect.mapError((error) => (error._tag === "SqlError" ? failed(path, error) : error))
    )
    return sql
  })

/**
 * Fails as `openDatabase` does where the place is none, or another process writes to it: for whoever is going to do something
 * before it opens that must not be done twice. It makes no history.
 */
export const checkUnused = (path: string): Effect.Effect<void, HistoryError> =>
  Effect.scoped(Effect.zipRight(checkPlace(path), lockFor(path)))

/** Lets the file grow to about `maxBytes` and no further. */
export const limitSize = (sql: SqlClient.SqlClient, path: string, maxBytes: number) =>
  Effect.mapError(sql.unsafe(`PRAGMA max_page_count = ${Math.ceil(maxBytes / bytesPerPage)}`), (error) =>
    failed(path, error)
  )

const bytesPerPage = 4096

/** The folder must be there: a path with a typing error must not quietly begin a new history. */
const checkPlace = (path: string) =>
  Effect.gen(function* () {
    const folder = dirname(resolve(path))
    const isFolder = (at: string) =>
      Effect.tryPromise(() => stat(at)).pipe(
        Effect.map((found) => found.isDirectory()),
        Effect.orElseSucceed(() => false)
      )
    if (!(yield* isFolder(folder))) {
      return yield* openError(path, `the folder ${folder} does not exist: create it, or change database_path`)
    }
    if (yield* isFolder(path)) return yield* openError(path, "it is a folder: name a file in it as database_path")
  })

/**
 * Holds an exclusive lock of the operating system on `<path>.lock`, an empty SQLite file. Unlike a file that holds a
 * process id the lock ends with the process, however it ends, and it leaves the history open to readers.
 */
const lockFor = (path: string) =>
  Effect.gen(function* () {
    const lock = yield* connect(`${path}.lock`)
    yield* lock.unsafe("PRAGMA busy_timeout = 0")
    yield* lock.unsafe("PRAGMA journal_mode = MEMORY")
    const held = yield* lock.reserve
    yield* held.executeRaw("BEGIN EXCLUSIVE", [])
    yield* Effect.addFinalizer(() => Effect.ignore(held.executeRaw("ROLLBACK", [])))
    // On a file that it may not write SQLite begins without a lock and complains only here. Nothing is written.
    yield* held.executeRaw("PRAGMA user_version = 1", [])
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "HistoryError"
        ? error
        : explain(error).busy
          ? openError(path, "another process is writing to it: stop that one, or choose another database_path")
          : failed(`${path}.lock`, error)
    )
  )

const connect = (filename: string) =>
  Effect.mapError(openSqlite(filename, { readonly: false }), (error) => failed(filename, error))

const prepare = (sql: SqlClient.SqlClient, path: string) =>
  Effect.gen(function* () {
    // The one writer waits for nobody but a checkpoint; a longer wait would hold up the whole program.
    yield* sql.unsafe("PRAGMA busy_timeout = 50")
    const number = numberFrom(sql)
    const tables = yield* number("SELECT count(*) AS value FROM sqlite_master")
    const application = yield* number("SELECT application_id AS value FROM pragma_application_id")
    if (tables > 0 && application !== applicationId) {
      return yield* openError(path, "it is a database of another program: choose another database_path")
    }
    if (tables > 0) {
      const version = yield* number("SELECT coalesce(max(migration_id), 0) AS value FROM effect_sql_migrations")
      if (version > schemaVersion) {
        return yield* openError(
          path,
          `its schema has version ${version}, this program knows up to ${schemaVersion}: use the newer dasmon that wrote it, or another database_path`
        )
      }
    }
    yield* Effect.forEach(
      [
        // Only before the first table.
        "PRAGMA auto_vacuum = INCREMENTAL",
        `PRAGMA application_id = ${applicationId}`,
        "PRAGMA journal_mode = WAL",
        // Nothing is lost when the process dies; a power cut may take the last moments, never the file.
        "PRAGMA synchronous = NORMAL",
        // A checkpoint holds the event loop: by default one of 1,000 pages, for 25 ms and more.
        "PRAGMA wal_autocheckpoint = 200",
        "PRAGMA journal_size_limit = 67108864"
      ],
      (pragma) => sql.unsafe(pragma),
      { discard: true }
    )
    yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations) }).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.catchAllDefect((defect) => Effect.fail(failed(path, defect))),
      Effect.catchTag("MigrationError", (error) => Effect.fail(failed(path, error)))
    )
    // Taking the write lock once tells a file that cannot be written from one that can.
    yield* sql.withTransaction(sql.unsafe("UPDATE totals SET id = id"))
  })

const numberFrom = (sql: SqlClient.SqlClient) => (query: string) =>
  sql.unsafe(query).pipe(
    Effect.flatMap((rows) => Effect.orDie(Schema.decodeUnknown(ValueRow)(rows))),
    Effect.map(([{ value }]) => value)
  )

const ValueRow = Schema.Tuple(Schema.Struct({ value: Schema.Number }))

const openError = (path: string, reason: string): HistoryError =>
  new HistoryError({ operation: `open ${path}`, reason })

const failed = (path: string, cause: SqlError | unknown): HistoryError => openError(path, explain(cause).reason)
