import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { addOutcomes, noOutcomes, type OutcomeCounts } from "../../domain/probe/Outcome.ts"
import {
  type Compliance,
  type ComplianceBy,
  type ComplianceOptions,
  type ComplianceOrder,
  type ComplianceRow,
  defaultLimit
} from "../../domain/report/Question.ts"
import { dayName } from "../../domain/Day.ts"
import { clientOf, clientVersionOf } from "./ReportAgent.ts"
import { peerCompliance } from "./ReportPeers.ts"
import { countedOf, countsRow, latestDay, type Period, periodOf, type ReadError, sumsSql } from "./ReportRows.ts"
import { query } from "../store/sqlite/SqliteRows.ts"

/** Sums up outcomes by whatever is asked for. */
export const compliance = Effect.fnUntraced(function* (
  connection: Connection,
  options: typeof ComplianceOptions.Type
): Effect.fn.Return<typeof Compliance.Type, ReadError> {
  const { by, limit = defaultLimit, order } = options
  if (by === "peer") return yield* peerCompliance(connection, options)
  const rows = yield* grouped[by](connection, periodOf(options))
  const sorted = [...rows].sort(compare[order ?? (by === "client" || by === "version" ? "tested" : "group")])
  return { rows: sorted.slice(0, limit), more: sorted.length > limit }
})

const compare: Readonly<Record<ComplianceOrder, (a: ComplianceRow, b: ComplianceRow) => number>> = {
  group: (a, b) => compareGroups(a.group, b.group),
  tested: (a, b) => b.tested - a.tested || compareGroups(a.group, b.group),
  blamed: (a, b) => b.blamed - a.blamed || b.tested - a.tested || compareGroups(a.group, b.group)
}

const compareGroups = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)

type Rows = Effect.Effect<ReadonlyArray<ComplianceRow>, ReadError>

/** Agents are strings; many of them are one client, and one peer may have had several. */
const byAgent = (groupOf: (agent: string) => string) =>
  Effect.fnUntraced(function* (
    connection: Connection,
    period: Period
  ): Effect.fn.Return<ReadonlyArray<ComplianceRow>, ReadError> {
    const groups = new Map<string, { probes: number; readonly peers: Set<number>; outcomes: OutcomeCounts }>()
    const groupOfAgent = new Map<number, string>()
    for (const { agent, agentName, probes, ...outcomes } of yield* selectAgents(connection, period)) {
      const name = groupOf(agentName)
      groupOfAgent.set(agent, name)
      const group = groups.get(name) ?? { probes: 0, peers: new Set(), outcomes: noOutcomes }
      groups.set(name, group)
      group.probes += probes
      group.outcomes = addOutcomes(group.outcomes, outcomes)
    }
    for (const { agent, peer } of yield* selectAgentPeers(connection, period)) {
      groups.get(groupOfAgent.get(agent) ?? "")?.peers.add(peer)
    }
    return [...groups].map(([group, { outcomes, peers, probes }]) => ({
      group,
      probes,
      peers: peers.size,
      ...countedOf(outcomes)
    }))
  })

const rowsOf =
  (
    select: (connection: Connection, period: Period) => Effect.Effect<ReadonlyArray<typeof GroupRow.Type>, ReadError>,
    name: (group: number) => string | number = (group) => group
  ) =>
  (connection: Connection, period: Period): Rows =>
    Effect.map(select(connection, period), (rows) =>
      rows.map((row) => ({ group: name(row.group), probes: row.probes, peers: row.peers, ...countedOf(row) }))
    )

const GroupRow = countsRow({
  group: Schema.Number,
  probes: Schema.NullOr(Schema.Number),
  peers: Schema.NullOr(Schema.Number)
})

/** Peers with one agent or custody group count, each once: without an end the last day of each is enough to know. */
const peersWithin = <A, I>(columns: string, row: Schema.Schema<A, I>, grouping = "") => {
  const since = query(`SELECT ${columns} FROM peer_agents WHERE last_day >= ? ${grouping}`, row)
  const within = query(`SELECT ${columns} FROM sums WHERE day BETWEEN ? AND ? ${grouping}`, row)
  return (connection: Connection, period: Period) =>
    period[1] >= latestDay ? since(connection, [period[0]]) : within(connection, period)
}

const selectAgents = query(
  `SELECT agent_sums.agent AS agent, agents.agent AS agentName, sum(probes) AS probes, ${sumsSql}
  FROM agent_sums JOIN agents ON agents.id = agent_sums.agent
  WHERE agent_sums.day BETWEEN ? AND ? GROUP BY agent_sums.agent`,
  countsRow({ agent: Schema.Number, agentName: Schema.String, probes: Schema.Number })
)

const selectAgentPeers = peersWithin(
  "DISTINCT peer, agent",
  Schema.Struct({ peer: Schema.Number, agent: Schema.Number })
)

const selectCustody = query(
  `SELECT custody_group_count AS "group", sum(probes) AS probes, NULL AS peers, ${sumsSql}
  FROM agent_sums WHERE day BETWEEN ? AND ? GROUP BY custody_group_count`,
  GroupRow
)

const selectCustodyPeers = peersWithin(
  "custody_group_count AS custody, count(DISTINCT peer) AS peers",
  Schema.Struct({ custody: Schema.Number, peers: Schema.Number }),
  "GROUP BY custody_group_count"
)

const selectColumns = query(
  `SELECT "column" AS "group", NULL AS probes, NULL AS peers, ${sumsSql}
  FROM column_sums WHERE day BETWEEN ? AND ? GROUP BY "column"`,
  GroupRow
)

const selectAges = query(
  `SELECT age AS "group", NULL AS probes, NULL AS peers, ${sumsSql}
  FROM age_sums WHERE day BETWEEN ? AND ? GROUP BY age`,
  GroupRow
)

const selectDayRows = query(
  `SELECT day AS "group", sum(probes) AS probes,
    (SELECT count(DISTINCT peer) FROM sums WHERE sums.day = agent_sums.day) AS peers, ${sumsSql}
  FROM agent_sums WHERE day BETWEEN ? AND ? GROUP BY day`,
  GroupRow
)

const byCustody = Effect.fnUntraced(function* (connection: Connection, period: Period) {
  const peers = new Map((yield* selectCustodyPeers(connection, period)).map(({ custody, peers }) => [custody, peers]))
  const rows = yield* selectCustody(connection, period)
  return rows.map((row) => ({
    group: row.group,
    probes: row.probes,
    peers: peers.get(row.group) ?? 0,
    ...countedOf(row)
  }))
})

const grouped: Readonly<Record<Exclude<ComplianceBy, "peer">, (connection: Connection, period: Period) => Rows>> = {
  client: byAgent(clientOf),
  version: byAgent(clientVersionOf),
  custody: byCustody,
  column: rowsOf(selectColumns),
  age: rowsOf(selectAges),
  day: rowsOf(selectDayRows, dayName)
}
