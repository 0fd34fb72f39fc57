import { Effect, Schema } from "effect"
import { outcomeKinds } from "../domain/probe/Outcome.ts"
import {
  ComplianceBy,
  ComplianceRow,
  type Extent,
  SlotHoldings,
  UntestedRow,
  WorstRow
} from "../domain/report/Question.ts"
import { ArrivalsBy } from "../domain/report/ArrivalQuestion.ts"
import { dayName } from "../domain/Day.ts"
import { type ReportError, Reports } from "../history/report/Reports.ts"
import { type Cell, type Column, countText, csvOf, jsonOf, percentText, tableOf } from "./ReportTable.ts"

/** What a report can be by. */
export const reportNames = [
  ...ComplianceBy.literals,
  "worst",
  "untested",
  "slot",
  "availability",
  ...ArrivalsBy.literals
] as const
export type ReportName = (typeof reportNames)[number]

export const reportFormats = ["table", "json", "csv"] as const
type ReportFormat = (typeof reportFormats)[number]

export interface ReportQuestion {
  /** First day (UTC, counted from 1970). */
  readonly since: number | undefined
  readonly limit: number
  readonly format: ReportFormat
}

/** The lines of a report. */
export const reportLines = (by: Exclude<ReportName, "slot" | "availability" | ArrivalsBy>, question: ReportQuestion) =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const extent = yield* reports.extent
    const { limit, since } = question
    const period = since === undefined ? {} : { since }
    switch (by) {
      case "worst": {
        const { more, rows } = yield* reports.worst({ ...period, limit })
        return yield* linesOf(WorstRow, worstColumns, rows, more, question, [
          title("the peers that failed most", extent, question, true),
          "failed = blamed on the peer ÷ tested (20 or more); withholds = what that says of all that it owes at this moment"
        ])
      }
      case "untested": {
        const { more, rows } = yield* reports.untested({ limit })
        return yield* linesOf(UntestedRow, untestedColumns, rows, more, question, [
          title("what is untested", extent, question, true),
          "owed = (slot, column) combinations that a peer must hold at this moment, in blocks that are known to have columns"
        ])
      }
      default: {
        const { more, rows } = yield* reports.compliance({ by, ...period, limit })
        const hasSuspicions = rows.some(({ outcomes }) => outcomes.suspected > 0)
        return yield* linesOf(ComplianceRow, complianceColumns(by, hasSuspicions), rows, more, question, [
          title(`compliance by ${meaningOf[by]}`, extent, question, by === "peer"),
          "compliance = verified columns ÷ tested; tested = verified or blamed on the peer; the other outcomes prove nothing",
          ...(hasSuspicions ? ["at worst = the same, if all that was ever suspected had failed"] : [])
        ])
      }
    }
  })

/** The lines of the report on one slot. */
export const slotLines = (
  slot: number,
  { format, limit }: ReportQuestion
): Effect.Effect<ReadonlyArray<string>, ReportError, Reports> =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const holdings = yield* reports.slot({ slot, limit: Math.min(limit, 1000) })
    if (format === "csv") return csvOf(holdings.columns)
    if (format === "json") return jsonOf([yield* Effect.orDie(Schema.encode(SlotHoldings)(holdings))])
    const { network } = yield* reports.extent
    const { columns, held, holders, reconstructable, sampled, state, weakest } = holdings
    const proven = columns.filter(({ failed, peers }) => peers > 0 || failed > 0)
    return [
      `slot ${slot} · ${network ?? "no network yet"} · ${
        proven.length === 0
          ? "nothing of it was tested"
          : `${held} of ${columns.length} columns are proven to be held: ${reconstructable ? "enough" : "not enough"} to reconstruct`
      }`,
      ...holdings.blocks.map(
        ({ blobs, orphaned, root }) => `block ${root}: ${blobs} blobs${orphaned ? ", orphaned" : ""}`
      ),
      `${state}${weakest === null ? "" : `: at ${countText(holders)} peers, column ${weakest.column} at ${countText(weakest.peers)} of them only`}`,
      ...sampled.map(
        ({ decidedAfterMs, reason, verdict }) => `sampled: ${verdict} after ${decidedAfterMs} ms: ${reason}`
      ),
      "peers = have delivered the column, verified, and not failed to since; failed = did not, and are blamed",
      "",
      ...tableOf(slotColumns, proven)
    ]
  })

const linesOf = <Row extends object, I>(
  schema: Schema.Schema<Row, I>,
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>,
  more: boolean,
  { format, limit }: ReportQuestion,
  heading: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    if (format === "csv") return csvOf(rows)
    if (format === "json") return jsonOf(yield* Effect.orDie(Schema.encode(Schema.Array(schema))(rows)))
    if (rows.length === 0) return [...heading, "", "nothing yet"]
    const rest = more ? ["", `the first ${countText(limit)}; for more: --limit`] : []
    return [...heading, "", ...tableOf(columns, rows), ...rest]
  })

/** `ever`: whether the numbers are of all that was recorded, and not of the days that are kept. */
const title = (what: string, extent: Extent, { since }: ReportQuestion, ever: boolean): string => {
  const { firstDay, lastDay, network, peers, probes } = extent
  const period =
    firstDay === null || lastDay === null
      ? "nothing recorded"
      : since !== undefined
        ? `since ${dayName(Math.max(since, firstDay))} (UTC)`
        : ever
          ? `all that was recorded until ${dayName(lastDay)} (UTC)`
          : `${dayName(firstDay)} to ${dayName(lastDay)} (UTC)`
  return [
    what,
    network ?? "no network yet",
    period,
    `in all ${countText(probes)} probes of ${countText(peers)} peers`
  ].join(" · ")
}

const meaningOf: Readonly<Record<ComplianceBy, string>> = {
  peer: "peer",
  client: "client",
  version: "client and version",
  custody: "custody group count",
  column: "column",
  age: "age of the slot in days",
  day: "day"
}

const groupTitles: Readonly<Record<ComplianceBy, string>> = {
  peer: "peer",
  client: "client",
  version: "version",
  custody: "groups",
  column: "column",
  age: "days old",
  day: "day"
}

interface Counted {
  readonly outcomes: ComplianceRow["outcomes"]
}

const outcomeColumns: ReadonlyArray<Column<Counted>> = outcomeKinds
  .filter((kind) => kind !== "success")
  .map((kind) => ({ title: kind, of: ({ outcomes }) => outcomes[kind], optional: true }))

const complianceColumns = (by: ComplianceBy, hasSuspicions: boolean): ReadonlyArray<Column<ComplianceRow>> => [
  { title: groupTitles[by], of: ({ group }) => group },
  ...(by === "peer" ? [{ title: "client", of: ({ client }: ComplianceRow): Cell => client ?? null }] : []),
  ...(by === "peer" ? [] : [{ title: "peers", of: ({ peers }: ComplianceRow): Cell => peers, optional: true }]),
  { title: "probes", of: ({ probes }) => probes, optional: true },
  { title: "tested", of: ({ tested }) => tested },
  { title: "compliance", of: ({ compliance }) => percentText(compliance) },
  ...(hasSuspicions
    ? [{ title: "at worst", of: (row: ComplianceRow): Cell => percentText(row.complianceWithSuspicions) }]
    : []),
  ...outcomeColumns
]

const worstColumns: ReadonlyArray<Column<typeof WorstRow.Type>> = [
  { title: "peer", of: ({ peerId }) => peerId },
  { title: "client", of: ({ client }) => client },
  { title: "tested", of: ({ tested }) => tested },
  { title: "blamed", of: ({ blamed }) => blamed },
  { title: "failed", of: ({ blamedFraction }) => percentText(blamedFraction) },
  {
    title: "withholds (95%)",
    of: ({ withheld }) => (withheld === null ? null : `${percentText(withheld.low)} to ${percentText(withheld.high)}`)
  },
  { title: "last failure", of: ({ lastFailure }) => lastFailure }
]

const untestedColumns: ReadonlyArray<Column<typeof UntestedRow.Type>> = [
  { title: "peer", of: ({ peerId }) => peerId },
  { title: "client", of: ({ client }) => client },
  { title: "owed", of: ({ owed }) => owed },
  { title: "tested", of: ({ tested }) => tested },
  { title: "untested", of: ({ untested }) => untested },
  { title: "done", of: ({ owed, tested }) => percentText(owed === 0 ? null : tested / owed) },
  { title: "failed", of: ({ failed }) => failed, optional: true },
  { title: "counted at (UTC)", of: ({ countedAt }) => new Date(countedAt).toISOString().slice(0, 19).replace("T", " ") }
]

const slotColumns: ReadonlyArray<Column<(typeof SlotHoldings.Type)["columns"][number]>> = [
  { title: "column", of: ({ column }) => column },
  { title: "peers", of: ({ peers }) => peers },
  { title: "failed", of: ({ failed }) => failed, optional: true },
  { title: "held by", of: ({ peerIds }) => peerIds.join(" ") }
]
