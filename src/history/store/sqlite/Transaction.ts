import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Exit } from "effect"

/** All that `use` writes, or nothing of it. The connection is nobody else's meanwhile. */
export const inTransaction = <A, E>(
  sql: SqlClient.SqlClient,
  use: (connection: Connection) => Effect.Effect<A, E>
): Effect.Effect<A, E | SqlError> =>
  Effect.scoped(
    Effect.flatMap(sql.reserve, (connection) =>
      Effect.acquireUseRelease(
        connection.executeRaw("BEGIN IMMEDIATE", []),
        () => Effect.zipLeft(use(connection), connection.executeRaw("COMMIT", [])),
        (_, exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.ignore(connection.executeRaw("ROLLBACK", [])))
      )
    )
  )
