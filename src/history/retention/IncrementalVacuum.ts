import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import type { Slices } from "./Slices.ts"
import { query } from "../store/sqlite/SqliteRows.ts"

/** Takes pages that nothing uses off the end of the file, but for some that the next records will need. */
export const incrementalVacuum = (slices: Slices) =>
  slices((connection, size) =>
    Effect.gen(function* () {
      const excess = yield* excessPages(connection)
      const pages = Math.min(excess, size)
      // Without a number it would be all of them, and the driver stops after the first page either way.
      for (let page = 0; page < pages; page++) yield* connection.executeRaw("PRAGMA incremental_vacuum(1)", [])
      return excess > pages
    })
  )

const excessPages = (connection: Connection) =>
  Effect.gen(function* () {
    const [{ free, pages } = { free: 0, pages: 0 }] = yield* selectPages(connection, [])
    return free - Math.max(leastFree, Math.floor(pages / freeShare))
  })

const selectPages = query(
  "SELECT freelist_count AS free, page_count AS pages FROM pragma_freelist_count, pragma_page_count",
  Schema.Struct({ free: Schema.Number, pages: Schema.Number })
)

/** Pages of 4 KiB. */
const leastFree = 32
/** One free page in so many is left. */
const freeShare = 20
