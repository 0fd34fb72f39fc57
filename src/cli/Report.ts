import { Command, Options } from "@effect/cli"
import { Clock, Console, Duration, Effect, Option } from "effect"
import { GoDuration } from "../config/GoDuration.ts"
import { whole } from "../config/Values.ts"
import { firstDayOf } from "../domain/Day.ts"
import { wrong } from "./Failure.ts"
import { checked, help, lazy } from "./CommandParts.ts"
import { loadConfiguration } from "./Settings.ts"
import { availabilityLines, slotsLines } from "./AvailabilityReport.ts"
import { arrivalLines, slotArrivalLines } from "./ArrivalReport.ts"
import {
  reportFormats,
  reportLines,
  type ReportName,
  reportNames,
  type ReportQuestion,
  slotLines
} from "./ReportRows.ts"

const db = Options.text("db").pipe(
  Options.withDescription(
    "the database of the monitor (default: what DASMON_DATABASE_PATH says, or dasmon.db in this folder)"
  ),
  Options.optional
)
const config = Options.text("config").pipe(
  Options.withDescription("the configuration that names the database, instead of --db"),
  Options.optional
)
const by = Options.choice("by", reportNames).pipe(
  Options.withDescription(
    "what to sum up by: peer, client, version, custody (group count), column, age (of the slot, in days) or day; or worst (peers), untested (what is left of each peer), slot (who holds the columns of one --slot, or what is held of the newest slots), availability (what sampling new blocks came to, and when); or arrival, arrival-day, arrival-client (when columns came over gossip, by column, of one --slot too, by day, by who was first)"
  ),
  Options.optional
)
const slot = Options.integer("slot").pipe(
  checked("slot", whole(0, 2 ** 31)),
  Options.withDescription("the slot that is asked about"),
  Options.optional
)
const since = Options.text("since").pipe(
  checked("since", GoDuration("1ms", "36500d")),
  Options.withDescription("only the last while, such as 7d, in whole days of UTC"),
  Options.optional
)
const limit = Options.integer("limit").pipe(
  checked("limit", whole(1, 100_000)),
  Options.withDescription(
    "rows, at most (default 200); peers a column with --slot (default 10); slots with --by slot (default 32)"
  ),
  Options.optional
)
const format = Options.choice("format", reportFormats).pipe(
  Options.withDescription("table (the default), json (an array) or csv"),
  Options.withDefault("table" as const)
)

const linesOf = (by: ReportName, slot: number | undefined, question: ReportQuestion) => {
  switch (by) {
    case "slot":
      return slot === undefined ? slotsLines(question) : slotLines(slot, question)
    case "availability":
      return availabilityLines(question)
    case "arrival":
    case "arrival-day":
    case "arrival-client":
      return slot === undefined ? arrivalLines(by, question) : slotArrivalLines(slot, question)
    default:
      return reportLines(by, question)
  }
}

/** Slots that one report goes through: about fourteen hours of mainnet. */
const mostSlots = 4096

/** `dasmon report`: questions about a history, while the monitor runs or after. */
export const report = Command.make("report", { db, config, by, slot, since, limit, format }, (options) =>
  Effect.gen(function* () {
    const by = Option.getOrElse(options.by, () => (Option.isSome(options.slot) ? "slot" : "client"))
    if (Option.isSome(options.db) && Option.isSome(options.config))
      return yield* wrong("report", ["give --db or --config, not both"])
    if (by !== "slot" && by !== "arrival" && Option.isSome(options.slot))
      return yield* wrong("report", ["--slot goes with --by slot or --by arrival only"])
    if (by === "arrival" && Option.isSome(options.slot) && Option.isSome(options.since))
      return yield* wrong("report", ["give --slot or --since, not both"])
    if ((by === "slot" || by === "untested") && Option.isSome(options.since)) {
      return yield* wrong("report", [`--since does not go with --by ${by}, which is about this moment`])
    }
    const path = Option.isSome(options.db)
      ? options.db.value
      : (yield* loadConfiguration(options.config)).config.databasePath
    const now = yield* Clock.currentTimeMillis
    const question = {
      since: Option.getOrUndefined(Option.map(options.since, (since) => firstDayOf(now, Duration.toMillis(since)))),
      limit: Option.getOrElse(options.limit, () => (by !== "slot" ? 200 : Option.isSome(options.slot) ? 10 : 32)),
      format: options.format
    }
    const slot = Option.getOrUndefined(options.slot)
    if (by === "slot" && slot === undefined && question.limit > mostSlots)
      return yield* wrong("report", [`--by slot goes through ${mostSlots} slots at most: --limit ${mostSlots}`])
    const { layer } = yield* lazy(() => import("../history/report/ReportsInline.ts"))
    const lines = yield* linesOf(by, slot, question).pipe(Effect.provide(layer({ path, answerLimit: "1 minute" })))
    yield* Console.log(lines.join("\n"))
  })
).pipe(
  Command.withDescription(
    help(
      "Answers questions about what a monitor has found out, while it runs or after; it never locks it out",
      "report",
      "report --by worst --limit 20",
      "report --by version --since 7d --format csv",
      "report --by arrival --since 1d",
      "report --by availability --since 1d",
      "report --slot 12345678 --config dasmon.yaml"
    )
  )
)
