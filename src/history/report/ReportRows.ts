import type { SqlError } from "@effect/sql/SqlError"
import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import { compliances } from "../../domain/peer/PeerTotals.ts"
import { blameOf, type OutcomeCounts, outcomeKinds } from "../../domain/probe/Outcome.ts"
import { outcomeCountsOf, query, TotalsRow } from "../store/sqlite/SqliteRows.ts"

export type ReadError = SqlError | ParseError

const { probes: _, ...counts } = TotalsRow.fields

/** A row with all outcome counts, and more. */
export const countsRow = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct({ ...counts, ...fields })

const blamedKinds = outcomeKinds.filter((kind) => blameOf[kind] === "peer")

/** In SQL: what of a row, or of the sum over rows, is blamed on the peer. */
export const blamedSql = `(${blamedKinds.join(" + ")})`

/** In SQL: the sum over rows of each outcome. */
export const sumsSql = outcomeKinds.map((kind) => `sum(${kind}) AS ${kind}`).join(", ")

/** What an answer says of outcomes. */
export const countedOf = (row: OutcomeCounts) => {
  const outcomes = outcomeCountsOf(row)
  const blamed = blamedKinds.reduce((sum, kind) => sum + outcomes[kind], 0)
  const tested = outcomes.success + blamed
  return { tested, blamed, ...compliances(outcomes.success, tested, outcomes.suspected), outcomes }
}

/** First and last day, both included. */
export type Period = readonly [since: number, until: number]

export const periodOf = (options: { readonly since?: number | undefined; readonly until?: number | undefined }) => {
  const period: Period = [options.since ?? 0, options.until ?? latestDay]
  return period
}

/** Later than any day. */
export const latestDay = 2 ** 31

/** The days of a period of which there are sums, as JSON for `json_each`. */
export const daysWithin = (connection: Connection, [since, until]: Period): Effect.Effect<string, ReadError> =>
  Effect.map(selectDays(connection, []), ([row]) => {
    const first = Math.max(row?.first ?? 0, since)
    const last = Math.min(row?.last ?? -1, until)
    return JSON.stringify(Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index))
  })

export const selectDays = query(
  "SELECT (SELECT min(day) FROM sums) AS first, (SELECT max(day) FROM sums) AS last",
  Schema.Struct({ first: Schema.NullOr(Schema.Number), last: Schema.NullOr(Schema.Number) })
)
