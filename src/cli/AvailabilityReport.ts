import { Effect, Schema } from "effect"
import type { SlotVerdict } from "../domain/availability/SlotVerdict.ts"
import { followDistances, SlotDeadline, TrailingShare } from "../domain/availability/Trailing.ts"
import { dayMs } from "../domain/Day.ts"
import { SlotsRow } from "../domain/report/Question.ts"
import { type ReportError, Reports } from "../history/report/Reports.ts"
import type { ReportQuestion } from "./ReportRows.ts"
import { type Column, countText, csvOf, jsonOf, percentText, tableOf } from "./ReportTable.ts"

/** The lines of the report on the newest slots: what was proven of their columns. */
export const slotsLines = ({
  format,
  limit
}: ReportQuestion): Effect.Effect<ReadonlyArray<string>, ReportError, Reports> =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const rows: Array<typeof SlotsRow.Type> = []
    let before: number | undefined
    do {
      const page = yield* reports.slots({ limit: Math.min(256, limit - rows.length), before })
      rows.push(...page.rows)
      before = page.next ?? undefined
    } while (before !== undefined && rows.length < limit)
    if (format === "csv") return csvOf(rows)
    if (format === "json") return jsonOf(yield* Effect.orDie(Schema.encode(Schema.Array(SlotsRow))(rows)))
    const { network } = yield* reports.extent
    return [
      `the newest slots · ${network ?? "no network yet"}`,
      "held = distinct columns that peers were proven to hold; recoverable takes 64 of them and a margin; lost: 65 are proven absent;",
      "sampled = what asking for columns at random came to when the block was new",
      "",
      ...(rows.length === 0 ? ["nothing yet"] : tableOf(slotsColumns, rows)),
      ...(before === undefined ? [] : ["", `the first ${countText(limit)}; for more: --limit`])
    ]
  })

/** The lines of the report on what was sampled: the newest verdicts, and how many came in time. */
export const availabilityLines = ({
  format,
  limit,
  since
}: ReportQuestion): Effect.Effect<ReadonlyArray<string>, ReportError, Reports> =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const answer = yield* reports.availability({
      limit: Math.min(limit, 1000),
      ...(since === undefined ? {} : { since: since * dayMs })
    })
    const { available, blocks, slots, trailing, undetermined, unavailable } = answer
    if (format === "csv") return csvOf(trailing)
    if (format === "json") return jsonOf(yield* Effect.orDie(Schema.encode(Schema.Array(TrailingShare))(trailing)))
    const { network } = yield* reports.extent
    const shareOf = (distance: number, deadline: SlotDeadline): string => {
      const found = trailing.find((one) => one.distance === distance && one.deadline === deadline)
      return found === undefined ? "–" : percentText(found.share)
    }
    return [
      `availability · ${network ?? "no network yet"} · ${countText(blocks)} blocks sampled: ${countText(available)} available, ` +
        `${countText(unavailable)} unavailable, ${countText(undetermined)} undetermined`,
      "share of blocks that were decided, by slots of follow distance and by moment of that slot (attestations are due after a third of it)",
      "",
      ...tableOf(
        [
          { title: "distance", of: (distance: number) => distance },
          ...SlotDeadline.literals.map((deadline) => ({
            title: deadline,
            of: (distance: number) => shareOf(distance, deadline)
          }))
        ],
        followDistances
      ),
      "",
      ...(slots.length === 0 ? ["nothing yet"] : tableOf(verdictColumns, slots.slice(0, shownVerdicts)))
    ]
  })

const shownVerdicts = 20

const slotsColumns: ReadonlyArray<Column<typeof SlotsRow.Type>> = [
  { title: "slot", of: ({ slot }) => slot },
  { title: "state", of: ({ state }) => state },
  { title: "held", of: ({ held }) => held },
  { title: "peers", of: ({ holders }) => holders },
  { title: "weakest column", of: ({ weakest }) => weakest?.column ?? null },
  { title: "its peers", of: ({ weakest }) => weakest?.peers ?? null },
  { title: "sampled", of: ({ verdict }) => verdict }
]

const verdictColumns: ReadonlyArray<Column<SlotVerdict>> = [
  { title: "slot", of: ({ slot }) => slot },
  { title: "verdict", of: ({ verdict }) => verdict },
  { title: "after ms", of: ({ decidedAfterMs }) => decidedAfterMs },
  { title: "present", of: ({ present }) => present.length },
  { title: "absent", of: ({ absent }) => absent.length },
  { title: "unanswered", of: ({ unanswered }) => unanswered.length },
  { title: "peers", of: ({ peers }) => peers },
  { title: "clients", of: ({ clients }) => clients.length },
  { title: "overlooked", of: ({ passingProbability }) => passingProbability?.toExponential(1) ?? null },
  { title: "why", of: ({ reason }) => reason }
]
