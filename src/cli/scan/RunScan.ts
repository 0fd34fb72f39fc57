import { Console, Effect, Either, Layer, LogLevel, Logger, Option, Schema } from "effect"
import { type Duration } from "effect"
import type { Slot } from "../../domain/Primitives.ts"
import { ScanReport } from "../../domain/scan/ScanReport.ts"
import { Daemons } from "../../runtime/Daemon.ts"
import { Doubts } from "../../runtime/Doubts.ts"
import { Scanner } from "../../scan/Scanner.ts"
import { type ScanOptions, timeLimitFor } from "../../scan/ScanOptions.ts"
import type { BeaconChoice } from "../BeaconChoice.ts"
import { failWith, ProgramFailed, wrong } from "../Failure.ts"
import { exitCodeFor, exitCodes, parseFailOn } from "./ExitCode.ts"
import { targetsFrom } from "./ReadTargets.ts"
import { scannerLayer, type ScanSources } from "./ScanLayers.ts"
import { makeScanProgress } from "./ScanProgress.ts"
import { scanSummary, scanTable } from "./ScanTable.ts"

/** What the command line says. */
export interface ScanArguments {
  readonly targets: ReadonlyArray<string>
  readonly file: Option.Option<string>
  readonly slots: Option.Option<number>
  readonly slot: ReadonlyArray<Slot>
  readonly columns: ScanOptions["columns"]
  readonly format: "table" | "json"
  readonly failOn: string
  readonly db: Option.Option<string>
  readonly evidence: Option.Option<string>
  readonly confirmAfter: Duration.Duration
  readonly timeLimit: Option.Option<Duration.Duration>
  readonly concurrency: number
}

/** Scans all targets, each by itself, prints what comes of each as soon as it is there, and ends with the exit code. */
export const run = Effect.fn("Scan.run")(function* (given: ScanArguments, choice: BeaconChoice) {
  const failOn = yield* Either.match(parseFailOn(given.failOn), {
    onLeft: (line) => wrong("scan", [line]),
    onRight: Effect.succeed
  })
  if (Option.isSome(given.slots) && given.slot.length > 0) {
    return yield* wrong("scan", ["give --slots (how many) or --slot (which), not both"])
  }
  const targets = yield* targetsFrom(given.targets, given.file)
  const sources = sourcesOf(given, choice)
  const options: ScanOptions = {
    slots: Option.getOrUndefined(given.slots),
    only: given.slot,
    columns: given.columns,
    confirmAfter: given.confirmAfter,
    timeLimit: Option.getOrElse(given.timeLimit, () => timeLimitFor(given.confirmAfter))
  }
  const progress = makeScanProgress({
    total: targets.length,
    isTerminal: process.stdout.isTTY && process.stderr.isTTY,
    print: Console.log,
    write: (text) => void process.stderr.write(text)
  })
  const scanAll = Effect.flatMap(Scanner, ({ scan }) =>
    Effect.forEach(
      targets,
      (target) =>
        Effect.tap(
          scan(target, options, (step) => progress.step(target.address.peerId, step)),
          (report) => Effect.flatMap(textOf(report, given.format), progress.print)
        ),
      { concurrency: given.concurrency }
    )
  )
  const reports = yield* scanAll.pipe(
    Effect.ensuring(progress.end),
    Effect.provide(Layer.provide(scannerLayer(sources), [Daemons.layer, Doubts.layer])),
    Effect.catchTags({
      ExternsError: ({ message }) => impossible(`the beacon node does not answer: ${message}`),
      NodeError: ({ message }) => impossible(message),
      IdentityError: ({ message }) => impossible(message),
      VerifierError: ({ message }) => impossible(message)
    }),
    Logger.withMinimumLogLevel(LogLevel.Warning)
  )
  if (given.format === "table" && reports.length > 1) yield* Console.log(scanSummary(reports))
  const exitCode = exitCodeFor(reports, failOn)
  return exitCode === exitCodes.well ? undefined : yield* new ProgramFailed({ exitCode })
})

const impossible = (line: string): Effect.Effect<never, ProgramFailed> =>
  failWith(exitCodes.impossible, [`dasmon scan: ${line}`])

const textOf = (report: ScanReport, format: ScanArguments["format"]): Effect.Effect<string> =>
  format === "json" ? Effect.orDie(encode(report)) : Effect.succeed(scanTable(report).join("\n"))

/** One line. */
const encode = Schema.encode(Schema.parseJson(ScanReport))

const sourcesOf = (given: ScanArguments, { beaconApi, config }: BeaconChoice): ScanSources => ({
  beaconApi,
  network: config.network,
  fallback: config.backfill.beaconApi,
  trustBeaconRoots: config.trustBeaconRoots,
  agent: config.agent,
  database: Option.getOrElse(given.db, () => config.databasePath),
  evidenceFolder: given.evidence,
  confirmAfter: given.confirmAfter,
  concurrency: given.concurrency
})
