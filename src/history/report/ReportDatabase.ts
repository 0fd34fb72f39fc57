import { constants, existsSync } from "node:fs"
import { chmod, copyFile, mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SqlClient } from "@effect/sql"
import { Effect, Predicate, Schema, type Scope } from "effect"
import { applicationId, schemaVersion } from "../store/sqlite/migrations/Migrations.ts"
import { ReportError } from "./Reports.ts"
import { openSqlite } from "../store/sqlite/Sqlite.ts"
import { explain } from "../store/sqlite/SqliteFault.ts"
import { codeOf, messageOf } from "../../domain/Text.ts"

/**
 * Opens the history at `path` for reading, until the scope closes. It may be written meanwhile. Fails with a sentence
 * that says what is wrong and what to do about it.
 */
export const openForReading = (path: string): Effect.Effect<SqlClient.SqlClient, ReportError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkFile(path)
    const sql = yield* connectTo(path).pipe(
      Effect.catchIf(needsMemory, () => Effect.flatMap(copyOf(path), connectTo)),
      Effect.mapError((cause) => unreadable(path, explain(cause).reason))
    )
    yield* checkSchema(sql, path)
    return sql
  })

/** For everything that is wrong with the file. */
export const unreadable = (path: string, reason: string): ReportError =>
  new ReportError({ fault: "unreadable", reason: `${path}: ${reason}` })

const checkFile = (path: string) =>
  Effect.tryPromise({
    try: () => stat(path),
    catch: (cause) =>
      unreadable(
        path,
        codeOf(cause) === "ENOENT"
          ? "there is no such file: name the database of the monitor (database_path)"
          : `it cannot be opened (${messageOf(cause)})`
      )
  }).pipe(
    Effect.filterOrFail(
      (found) => found.isFile(),
      () => unreadable(path, "it is not a file: name the database of the monitor (database_path)")
    )
  )

/** SQLite looks into the file only with the first query. */
const connectTo = (filename: string) =>
  Effect.gen(function* () {
    const sql = yield* openSqlite(filename, { readonly: true })
    yield* Effect.forEach(
      [
        // A writer keeps readers waiting only while it opens or closes the file.
        "PRAGMA busy_timeout = 2000",
        "PRAGMA query_only = ON",
        // 32 MiB.
        "PRAGMA cache_size = -32768",
        "PRAGMA temp_store = MEMORY",
        "SELECT count(*) FROM sqlite_master"
      ],
      (statement) => sql.unsafe(statement),
      { discard: true }
    )
    return sql
  })

/**
 * SQLite reads a database in WAL mode with a file of shared memory beside it. A writer makes that; while there is none
 * and this user may not make one either, nobody writes, and a copy is as good.
 */
const needsMemory = (cause: unknown): boolean =>
  ["SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_CANTINIT", "SQLITE_CANTOPEN"].includes(innerCodeOf(cause))

const copyOf = (path: string) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => mkdtemp(join(tmpdir(), "dasmon-report-")), catch: (cause) => cause }),
      (folder) => Effect.ignore(Effect.tryPromise(() => rm(folder, { recursive: true, force: true })))
    )
    const copy = join(folder, "history.db")
    // What a writer that was killed did not get to move into the file itself.
    const parts = ["", "-wal"].filter((suffix) => existsSync(`${path}${suffix}`))
    yield* Effect.forEach(parts, (suffix) =>
      Effect.tryPromise({
        try: async () => {
          await copyFile(`${path}${suffix}`, `${copy}${suffix}`, constants.COPYFILE_FICLONE)
          await chmod(`${copy}${suffix}`, 0o600)
        },
        catch: (cause) => cause
      })
    )
    return copy
  })

const checkSchema = (sql: SqlClient.SqlClient, path: string) =>
  Effect.gen(function* () {
    const number = (query: string) =>
      sql.unsafe(query).pipe(
        Effect.flatMap(Schema.decodeUnknown(ValueRow)),
        Effect.map(([{ value }]) => value),
        Effect.mapError((cause) => unreadable(path, explain(cause).reason))
      )
    if ((yield* number("SELECT application_id AS value FROM pragma_application_id")) !== applicationId) {
      return yield* unreadable(path, "it is not a history of dasmon: name the database of the monitor (database_path)")
    }
    const version = yield* number("SELECT coalesce(max(migration_id), 0) AS value FROM effect_sql_migrations")
    if (version > schemaVersion) {
      return yield* unreadable(
        path,
        `its schema has version ${version}, this program knows up to ${schemaVersion}: use the newer dasmon that wrote it`
      )
    }
    if (version < schemaVersion) {
      return yield* unreadable(
        path,
        `its schema has version ${version}, this program reads ${schemaVersion}: run this version of the monitor on it once`
      )
    }
  })

const ValueRow = Schema.Tuple(Schema.Struct({ value: Schema.Number }))

/** Of an error of the system, or of SQLite in an `SqlError`. */
const innerCodeOf = (cause: unknown): string =>
  codeOf(cause) ??
  (Predicate.hasProperty(cause, "cause") && cause.cause !== cause && cause.cause !== undefined
    ? innerCodeOf(cause.cause)
    : "")
