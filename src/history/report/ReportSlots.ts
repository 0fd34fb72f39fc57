import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { type ColumnHoldings, holdingsState } from "../../domain/availability/Holdings.ts"
import { AvailabilityVerdict } from "../../domain/availability/SlotVerdict.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import type { SlotsOptions, SlotsPage } from "../../domain/report/Question.ts"
import { chunkKey, chunkOf, chunkOfKey, decodeChunk, slotsPerChunk, testedAt } from "../store/CoverageChunk.ts"
import { query } from "../store/sqlite/SqliteRows.ts"
import type { ReadError } from "./ReportRows.ts"
import { selectChunks, visit } from "./VisitChunk.ts"

type Row = (typeof SlotsPage.Type)["rows"][number]

/** What was proven of the columns of the newest slots, chunk by chunk of coverage, and so in bounded time and memory. */
export const slots = Effect.fnUntraced(function* (
  connection: Connection,
  { before = Number.MAX_SAFE_INTEGER, limit = defaultSlots }: typeof SlotsOptions.Type
): Effect.fn.Return<typeof SlotsPage.Type, ReadError> {
  const rows: Array<Row> = []
  let below = before
  while (rows.length <= limit) {
    const [newest] = yield* selectNewest(connection, [chunkKey(0, chunkOf(below - 1) + 1), below])
    const slot = Math.max(
      newest?.verdict ?? -1,
      newest?.chunk === null || newest === undefined
        ? -1
        : Math.min(below - 1, (chunkOfKey(newest.chunk) + 1) * slotsPerChunk - 1)
    )
    if (slot < 0) break
    const chunk = chunkOf(slot)
    rows.push(...(yield* slotsOfChunk(connection, chunk, below)))
    below = chunk * slotsPerChunk
    if (below <= 0) break
  }
  const page = rows.slice(0, limit)
  return { rows: page, next: rows.length > limit ? (page.at(-1)?.slot ?? null) : null }
})

/** Slots in one answer where nothing is said. */
export const defaultSlots = 32

/** Those of one chunk below a slot of which anything is known, the newest first. */
const slotsOfChunk = Effect.fnUntraced(function* (connection: Connection, chunk: number, below: number) {
  const [from, to] = [chunk * slotsPerChunk, Math.min(below, (chunk + 1) * slotsPerChunk) - 1]
  const first = chunkKey(0, chunk)
  const voidUntil = new Map((yield* selectVoid(connection, [from, to])).map(({ at, slot }) => [slot, at]))
  const found = new Map<number, Found>()
  for (const [id, bytes] of yield* selectChunks(connection, [first, chunkKey(0, chunk + 1) - 1])) {
    const decoded = voidUntil.size > 0 ? decodeChunk(bytes) : undefined
    for (let slot = from; slot <= to; slot++) {
      const until = voidUntil.get(slot)
      if (until !== undefined && decoded !== undefined && testedAt(decoded, slot) <= until) continue
      visit(bytes, slot % slotsPerChunk, (column, succeeded) => {
        const about = found.get(slot) ?? newFound()
        found.set(slot, about)
        const entry = about.columns[column]
        if (entry === undefined) return
        if (!succeeded) {
          entry.failed++
          return
        }
        entry.peers++
        entry.holder = id
        about.holders.add(id)
      })
    }
  }
  const verdicts = new Map(
    (yield* selectVerdictsBetween(connection, [from, to])).map(({ slot, verdict }) => [slot, verdict])
  )
  return [...new Set([...found.keys(), ...verdicts.keys()])]
    .sort((a, b) => b - a)
    .map((slot): Row => rowOf(slot, found.get(slot) ?? newFound(), verdicts.get(slot) ?? null))
})

interface Found {
  readonly columns: ReadonlyArray<{ -readonly [Key in keyof ColumnHoldings]: ColumnHoldings[Key] }>
  readonly holders: Set<string | number>
}

/** A slot of which nothing is proven. */
export const newFound = (): Found => ({
  columns: Array.from({ length: numberOfColumns }, (_, column) => ({ column, peers: 0, failed: 0, holder: undefined })),
  holders: new Set()
})

/** One slot, summed up. */
export const rowOf = (slot: number, { columns, holders }: Found, verdict: AvailabilityVerdict | null): Row => ({
  slot,
  held: columns.filter(({ peers }) => peers > 0).length,
  ...holdingsState(columns),
  holders: holders.size,
  verdict
})

/** The newest chunk of coverage below a key, and the newest slot below another that was sampled. */
const selectNewest = query(
  `SELECT (SELECT max(id) FROM coverage WHERE id < ?) AS chunk, (SELECT max(slot) FROM availability WHERE slot < ?) AS verdict`,
  Schema.Struct({ chunk: Schema.NullOr(Schema.Number), verdict: Schema.NullOr(Schema.Number) })
)

const selectVoid = query(
  "SELECT slot, max(at) AS at FROM orphans WHERE slot BETWEEN ? AND ? GROUP BY slot",
  Schema.Struct({ slot: Schema.Number, at: Schema.Number })
)

const selectVerdictsBetween = query(
  "SELECT slot, verdict FROM availability WHERE slot BETWEEN ? AND ? ORDER BY id",
  Schema.Struct({ slot: Schema.Number, verdict: AvailabilityVerdict })
)
