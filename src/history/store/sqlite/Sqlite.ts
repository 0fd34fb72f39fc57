import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlClient } from "@effect/sql"
import { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Duration, Effect, type Scope } from "effect"
import { keepStatements } from "./KeepStatements.ts"

/**
 * Opens the SQLite file at `filename`, made if there is none, until the scope closes.
 *
 * A text is prepared once and stays prepared: there must be a fixed number of texts, with parameters for what varies.
 * Nothing is set: pragmas are the caller's.
 */
export const openSqlite = (
  filename: string,
  options: {
    /** The file must be there, and nothing is written. */
    readonly readonly: boolean
  }
): Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope> =>
  Effect.suspend(() => {
    keepStatements(filename)
    return SqliteClient.make({ filename, ...options, disableWAL: true, prepareCacheTTL: cacheTime })
  }).pipe(
    Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make),
    // A connection is held with its first statement: none must come to be without. This one does not touch the file.
    Effect.tap((sql) => sql.unsafe("PRAGMA busy_timeout")),
    Effect.uninterruptible,
    // The driver throws when it cannot open a file.
    Effect.catchAllDefect((cause) => Effect.fail(new SqlError({ cause, message: "SQLite cannot open" })))
  )

/** The client remembers for so long that a text could not be prepared; one that could costs no more than a look-up. */
const cacheTime = Duration.millis(50)
