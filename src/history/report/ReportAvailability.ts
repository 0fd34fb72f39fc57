import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { type Timed, trailingShares } from "../../domain/availability/Trailing.ts"
import type { Availability, AvailabilityOptions } from "../../domain/report/Question.ts"
import { selectTimes, selectVerdicts, verdictOf } from "../store/sqlite/AvailabilityRows.ts"
import { query } from "../store/sqlite/SqliteRows.ts"
import type { ReadError } from "./ReportRows.ts"

/** What sampling each block came to, and how many were decided in time. */
export const availability = Effect.fnUntraced(function* (
  connection: Connection,
  {
    before = Number.MAX_SAFE_INTEGER,
    limit = defaultBlocks,
    since = 0,
    slotDurationMs = usualSlotMs
  }: typeof AvailabilityOptions.Type
): Effect.fn.Return<typeof Availability.Type, ReadError> {
  const rows = yield* selectVerdicts(connection, [before, since, limit + 1])
  const times = yield* selectTimes(connection, [since])
  const [network] = yield* selectSlotDuration(connection, [])
  const page = rows.slice(0, limit)
  return {
    ...availabilitySummary(times, network?.slot_duration_ms ?? slotDurationMs),
    slots: page.map(verdictOf),
    next: rows.length > limit ? (page.at(-1)?.id ?? null) : null
  }
})

/** Blocks in one answer where nothing is said. */
export const defaultBlocks = 100

/** Of a history that does not know its network. */
export const usualSlotMs = 12_000

/** The numbers over all blocks. */
export const availabilitySummary = (times: ReadonlyArray<Timed>, slotDurationMs: number) => {
  const count = (verdict: Timed["verdict"]): number => times.filter((one) => one.verdict === verdict).length
  return {
    blocks: times.length,
    available: count("available"),
    unavailable: count("unavailable"),
    undetermined: count("undetermined"),
    trailing: trailingShares(times, slotDurationMs)
  }
}

const selectSlotDuration = query(
  "SELECT slot_duration_ms FROM network WHERE slot_duration_ms IS NOT NULL",
  Schema.Struct({ slot_duration_ms: Schema.Number })
)
