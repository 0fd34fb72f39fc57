import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { inTransaction } from "../store/sqlite/Transaction.ts"

/**
 * Runs `work` again and again, each time in a transaction of its own, until it says that nothing is left. `size` is how
 * much it may do at once: as much as took a few milliseconds before. In between the connection is free for others for
 * several times as long.
 */
export type Slices = <E>(
  work: (connection: Connection, size: number) => Effect.Effect<boolean, E>
) => Effect.Effect<void, E | SqlError>

export const makeSlices =
  (sql: SqlClient.SqlClient): Slices =>
  (work) =>
    Effect.gen(function* () {
      for (let size = smallest; ;) {
        let took = 0
        const more = yield* inTransaction(sql, (connection) =>
          Effect.suspend(() => {
            const begun = performance.now()
            return Effect.tap(work(connection, size), () => Effect.sync(() => (took = performance.now() - begun)))
          })
        )
        if (!more) return
        size = Math.max(smallest, Math.min(size * 2, Math.floor((size * sliceMs) / Math.max(took, 0.01))))
        yield* Effect.sleep(Math.min(restLimitMs, Math.max(1, took * restFactor)))
      }
    })

const sliceMs = 3
const smallest = 16
/** Commits add up to checkpoints, which hold the thread for some milliseconds each: they must stay rare. */
const restFactor = 16
const restLimitMs = 250
