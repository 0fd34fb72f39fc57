import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { coverageView, type Interval } from "../../domain/probe/Confidence.ts"
import { outcomeKinds } from "../../domain/probe/Outcome.ts"
import {
  type Compliance,
  type ComplianceOptions,
  type ComplianceOrder,
  type ComplianceRow,
  defaultLimit,
  type PeerDays,
  type Untested,
  type UntestedOptions,
  type Worst,
  type WorstOptions
} from "../../domain/report/Question.ts"
import { dayName } from "../../domain/Day.ts"
import { clientVersionOf } from "./ReportAgent.ts"
import {
  blamedSql,
  countedOf,
  countsRow,
  daysWithin,
  latestDay,
  periodOf,
  type ReadError,
  sumsSql
} from "./ReportRows.ts"
import { query } from "../store/sqlite/SqliteRows.ts"

/**
 * Compliance by peer. Without a period it is of all that was ever recorded, which each peer's own row keeps; with one
 * it is of the days that sums are kept of.
 */
export const peerCompliance = Effect.fnUntraced(function* (
  connection: Connection,
  options: Omit<typeof ComplianceOptions.Type, "by">
): Effect.fn.Return<typeof Compliance.Type, ReadError> {
  const limit = options.limit ?? defaultLimit
  const rows = yield* rankPeers(connection, options, options.order ?? "tested", 0, limit + 1)
  return {
    rows: rows.slice(0, limit).map((row): ComplianceRow => ({
      group: row.peer_id,
      client: clientVersionOf(row.agent),
      probes: row.probes,
      peers: 1,
      ...countedOf(row)
    })),
    more: rows.length > limit
  }
})

/** The peers that failed most of what was tested of them. */
export const worst = Effect.fnUntraced(function* (
  connection: Connection,
  options: typeof WorstOptions.Type
): Effect.fn.Return<typeof Worst.Type, ReadError> {
  const limit = options.limit ?? defaultLimit
  const rows = yield* rankPeers(connection, options, "fraction", options.leastTested ?? 20, limit + 1)
  return {
    rows: rows.slice(0, limit).map((row) => {
      const counted = countedOf(row)
      return {
        peerId: row.peer_id,
        client: clientVersionOf(row.agent),
        ...counted,
        blamedFraction: counted.blamed / counted.tested,
        withheld: withheldOf(row),
        lastFailure: row.failure
      }
    }),
    more: rows.length > limit
  }
})

/** What is left to test of each peer. */
export const untested = Effect.fnUntraced(function* (
  connection: Connection,
  options: typeof UntestedOptions.Type
): Effect.fn.Return<typeof Untested.Type, ReadError> {
  const limit = options.limit ?? defaultLimit
  const rows = yield* selectUntested(connection, [limit + 1])
  return {
    rows: rows.slice(0, limit).map(({ agent, coverage_at, peer_id, ...counts }) => ({
      peerId: peer_id,
      client: clientVersionOf(agent),
      ...counts,
      countedAt: coverage_at
    })),
    more: rows.length > limit
  }
})

/** One peer, day by day. */
export const peerDays = Effect.fnUntraced(function* (
  connection: Connection,
  { peerId }: { readonly peerId: string }
): Effect.fn.Return<typeof PeerDays.Type, ReadError> {
  const days = yield* daysWithin(connection, [0, latestDay])
  const rows = yield* selectPeerDays(connection, [peerId, days])
  return rows.map((row) => ({ group: dayName(row.day), probes: row.probes, peers: 1, ...countedOf(row) }))
})

/** The first peers in an order, with their counts. */
const rankPeers = Effect.fnUntraced(function* (
  connection: Connection,
  options: { readonly since?: number | undefined; readonly until?: number | undefined },
  order: PeerOrder,
  leastTested: number,
  limit: number
) {
  if (options.since === undefined && options.until === undefined) {
    return yield* rankings[order].ever(connection, [leastTested, limit])
  }
  const period = periodOf(options)
  const days = yield* daysWithin(connection, period)
  return yield* rankings[order].within(connection, [...period, leastTested, limit, days])
})

const RankedRow = countsRow({
  peer_id: Schema.String,
  agent: Schema.NullOr(Schema.String),
  failure: Schema.NullOr(Schema.String),
  owed: Schema.NullOr(Schema.Number),
  tested: Schema.NullOr(Schema.Number),
  failed: Schema.NullOr(Schema.Number),
  probes: Schema.Number
})

const withheldOf = ({ failed, owed, tested }: typeof RankedRow.Type): Interval | null =>
  failed === null || owed === null || tested === null ? null : coverageView({ owed, tested, failed }).withheld

type PeerOrder = ComplianceOrder | "fraction"

/**
 * Statements for one order, which is in terms of `good` and `bad`. Within a period the peers are ranked by as few numbers
 * as will do, and only those that are wanted are summed up in full: grouping all of them would take twice as long.
 */
const ranking = (order: string, condition = "good + bad >= ?") => ({
  ever: query(
    `SELECT peer_id, agent, failure, owed, tested, failed, probes, ${outcomeKinds.join(", ")}
    FROM (SELECT *, success AS good, ${blamedSql} AS bad FROM peers WHERE probes > 0)
    WHERE ${condition} ORDER BY ${order} LIMIT ?`,
    RankedRow
  ),
  within: query(
    `WITH ranked AS MATERIALIZED (
      SELECT peer, peer_id, agent, failure, owed, tested, failed, good, bad
      FROM (
        SELECT peer, sum(success) AS good, sum(${blamedSql}) AS bad FROM sums INDEXED BY sums_by_peer
        WHERE day BETWEEN ? AND ? GROUP BY peer
      ) CROSS JOIN peers ON peers.id = peer
      WHERE ${condition} ORDER BY ${order} LIMIT ?
    )
    SELECT peer_id, ranked.agent, failure, owed, tested, failed, sum(probes) AS probes, ${sumsSql}
    FROM ranked CROSS JOIN json_each(?) AS days CROSS JOIN sums ON sums.day = days.value AND sums.peer = ranked.peer
    GROUP BY ranked.peer ORDER BY ${order}`,
    RankedRow
  )
})

const rankings: Readonly<Record<PeerOrder, ReturnType<typeof ranking>>> = {
  group: ranking("peer_id"),
  tested: ranking("good + bad DESC, peer_id"),
  blamed: ranking("bad DESC, good + bad DESC, peer_id"),
  fraction: ranking("bad * 1.0 / (good + bad) DESC, bad DESC, peer_id", "good + bad >= ? AND bad > 0")
}

const selectUntested = query(
  `SELECT peer_id, agent, owed, tested, failed, owed - tested AS untested, coverage_at
  FROM peers WHERE coverage_at IS NOT NULL ORDER BY untested DESC, peer_id LIMIT ?`,
  Schema.Struct({
    peer_id: Schema.String,
    agent: Schema.NullOr(Schema.String),
    owed: Schema.Number,
    tested: Schema.Number,
    failed: Schema.Number,
    untested: Schema.Number,
    coverage_at: Schema.Number
  })
)

const selectPeerDays = query(
  `SELECT sums.day AS day, sum(probes) AS probes, ${sumsSql}
  FROM (SELECT id FROM peers WHERE peer_id = ?) AS peer
  CROSS JOIN json_each(?) AS days CROSS JOIN sums ON sums.day = days.value AND sums.peer = peer.id
  GROUP BY sums.day ORDER BY sums.day`,
  countsRow({ day: Schema.Number, probes: Schema.Number })
)
