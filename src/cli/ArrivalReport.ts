import { Effect, Schema } from "effect"
import { type ArrivalsBy, ArrivalsRow, SlotArrivals } from "../domain/report/ArrivalQuestion.ts"
import { dayName } from "../domain/Day.ts"
import { type ReportError, Reports } from "../history/report/Reports.ts"
import type { ReportQuestion } from "./ReportRows.ts"
import { type Cell, type Column, countText, csvOf, jsonOf, percentText, tableOf } from "./ReportTable.ts"

/** The lines of a report on how columns spread over gossip. */
export const arrivalLines = (
  by: ArrivalsBy,
  { format, limit, since }: ReportQuestion
): Effect.Effect<ReadonlyArray<string>, ReportError, Reports> =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const { more, rows } = yield* reports.arrivals({ by, since, limit })
    if (format === "csv") return csvOf(rows)
    if (format === "json") return jsonOf(yield* Effect.orDie(Schema.encode(Schema.Array(ArrivalsRow))(rows)))
    const { network } = yield* reports.extent
    const period = since === undefined ? "all that is kept" : `since ${dayName(since)} (UTC)`
    const rest = more ? ["", `the first ${countText(limit)}; for more: --limit`] : []
    return [
      [`arrival of columns by gossip, by ${meaningOf[by]}`, network ?? "no network yet", period].join(" · "),
      caution,
      "",
      ...(rows.length === 0 ? ["nothing yet"] : tableOf(columnsOf(by), rows)),
      ...rest
    ]
  })

/** The same of each column of the blocks of one slot. */
export const slotArrivalLines = (
  slot: number,
  { format }: ReportQuestion
): Effect.Effect<ReadonlyArray<string>, ReportError, Reports> =>
  Effect.gen(function* () {
    const blocks = yield* Effect.flatMap(Reports, (reports) => reports.slotArrivals({ slot }))
    if (format === "json") return jsonOf(yield* Effect.orDie(Schema.encode(SlotArrivals)(blocks)))
    const rows = blocks.flatMap(({ columns, rootPrefix }) =>
      columns.map(({ arrival, column, isSubscribed }) => ({
        block: rootPrefix,
        column,
        expected: isSubscribed,
        ms: arrival?.ms ?? null,
        peerId: arrival?.peerId ?? null,
        client: arrival?.client ?? null,
        duplicates: arrival?.duplicates ?? null
      }))
    )
    if (format === "csv") return csvOf(rows)
    return [
      `arrival of columns by gossip · slot ${slot}`,
      caution,
      "",
      ...(rows.length === 0 ? ["nothing of it is written (it is half a minute later)"] : tableOf(slotColumns, rows))
    ]
  })

const caution =
  "ms after the slot's start; late = after a third of it; says how columns spread, not who stores them, and a late one may have been rebuilt"

const meaningOf: Readonly<Record<ArrivalsBy, string>> = {
  arrival: "column",
  "arrival-day": "day",
  "arrival-client": "client that was first"
}

const columnsOf = (by: ArrivalsBy): ReadonlyArray<Column<ArrivalsRow>> => [
  { title: by === "arrival" ? "column" : by === "arrival-day" ? "day" : "client", of: ({ group }) => group },
  ...(by === "arrival-client"
    ? []
    : [
        { title: by === "arrival" ? "blocks" : "expected", of: ({ expected }: ArrivalsRow): Cell => expected },
        { title: "missed", of: ({ missed }: ArrivalsRow): Cell => missed }
      ]),
  { title: "arrived", of: ({ arrived }) => arrived },
  { title: "late", of: ({ lateShare }) => percentText(lateShare) },
  { title: "p50 ms", of: ({ p50 }) => p50 },
  { title: "p90 ms", of: ({ p90 }) => p90 },
  { title: "p99 ms", of: ({ p99 }) => p99 },
  { title: "copies", of: ({ duplicates }) => duplicates }
]

interface SlotRow {
  readonly block: string
  readonly column: number
  readonly ms: number | null
  readonly peerId: string | null
  readonly client: string | null
  readonly duplicates: number | null
}

const slotColumns: ReadonlyArray<Column<SlotRow>> = [
  { title: "block", of: ({ block }) => block },
  { title: "column", of: ({ column }) => column },
  { title: "ms", of: ({ ms }) => ms },
  { title: "copies", of: ({ duplicates }) => duplicates },
  { title: "client", of: ({ client }) => client },
  { title: "first", of: ({ peerId }) => peerId }
]
