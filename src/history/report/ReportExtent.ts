import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { noOutcomes } from "../../domain/probe/Outcome.ts"
import type { Extent } from "../../domain/report/Question.ts"
import { countsRow, type ReadError, selectDays } from "./ReportRows.ts"
import { outcomeCountsOf, query } from "../store/sqlite/SqliteRows.ts"

/** What the history is about. */
export const extent = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Extent, ReadError> {
  const [network] = yield* selectNetwork(connection, [])
  const [days] = yield* selectDays(connection, [])
  const [totals] = yield* selectTotals(connection, [])
  return {
    network: network?.name ?? null,
    firstDay: days?.first ?? null,
    lastDay: days?.last ?? null,
    peers: totals?.peers ?? 0,
    probes: totals?.probes ?? 0,
    outcomes: totals === undefined ? noOutcomes : outcomeCountsOf(totals)
  }
})

const selectNetwork = query("SELECT name FROM network", Schema.Struct({ name: Schema.String }))

const selectTotals = query(
  "SELECT *, (SELECT count(*) FROM peers WHERE peers.probes > 0) AS peers FROM totals",
  countsRow({ probes: Schema.Number, peers: Schema.Number })
)
