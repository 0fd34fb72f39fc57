import { Args, CliConfig, Command, Options } from "@effect/cli"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Duration, Effect, Logger, Option, Stream } from "effect"
import { GoDuration } from "../config/GoDuration.ts"
import { type ApiHabit, apiHabits } from "../devnet/api/ApiHabit.ts"
import { version } from "../Version.ts"
import { checked, help, lazy } from "./CommandParts.ts"
import { endProcess } from "./EndProcess.ts"
import { reportFailure } from "./Failure.ts"
import { plainWhereUnseen } from "./PlainText.ts"
import { usePresetOf } from "./Preset.ts"
import { monitor } from "./monitor/MonitorCommand.ts"
import { report } from "./Report.ts"
import { loadConfiguration, SettingFlags, takeSettings } from "./Settings.ts"
import { blobs } from "./blobs/BlobsCommand.ts"
import { scan } from "./scan/ScanCommand.ts"

const peers = Options.text("peers").pipe(
  Options.withDescription("the peers and how many of each, such as honest:8,withhold:2 (default: the 30 of the demo)"),
  Options.optional
)
const seed = Options.integer("seed").pipe(
  Options.withDescription("makes the same chain, keys and misbehaviour again (default 1)"),
  Options.withDefault(1)
)
const slotDuration = Options.text("slot-duration").pipe(
  checked("slot-duration", GoDuration("200ms", "1m")),
  Options.withDescription("such as 2s (the default)"),
  Options.withDefault(Duration.seconds(2))
)
const apiPort = Options.integer("api-port").pipe(
  Options.withDescription("port of its Beacon API on 127.0.0.1 (default: any that is free)"),
  Options.withDefault(0)
)
const api = Options.choice("api", apiHabits).pipe(
  Options.withDescription("the habits of its Beacon API (default plain: by the book)"),
  Options.withDefault<ApiHabit>("plain")
)
const partial = Options.text("partial").pipe(
  Options.withDescription(
    "slots of whose blocks only so many columns were ever published, such as 200:63,280:64: the seed chooses which"
  ),
  Options.optional
)
const stopWithStdin = Options.boolean("stop-with-stdin").pipe(
  Options.withDescription("end when standard input closes: for a program that starts this one")
)
const httpAddr = Options.text("http-addr").pipe(
  Options.withDescription("where the API and the page are served (default 127.0.0.1:9090)"),
  Options.optional
)
const config = Options.text("config").pipe(
  Options.withDescription(
    "the configuration, a YAML file (default: the one that DASMON_CONFIG names, or none). Each of its keys can be given " +
      "as a flag or as a variable too: sampling.max_slots is --sampling-max-slots 4 and DASMON_SAMPLING_MAX_SLOTS=4. A " +
      "flag wins over a variable, and that over the file. A list has commas between its entries, or the flag again. " +
      "`dasmon check-config` prints all keys, their values, and where each comes from"
  ),
  Options.optional
)

const devnet = Command.make("devnet", { peers, seed, slotDuration, api, apiPort, partial, stopWithStdin }, (options) =>
  Effect.gen(function* () {
    const { defaultPeers, parsePeersSpec } = yield* lazy(() => import("../devnet/PeersSpec.ts"))
    const { parsePartialBlocks } = yield* lazy(() => import("../devnet/PartialSpec.ts"))
    const { runDevnet } = yield* lazy(() => import("../devnet/RunDevnet.ts"))
    const spec = Option.isSome(options.peers) ? yield* parsePeersSpec(options.peers.value) : defaultPeers
    const partial = Option.isSome(options.partial)
      ? yield* parsePartialBlocks(options.partial.value, options.seed)
      : undefined
    const running = runDevnet({
      ...(partial === undefined ? {} : { partial }),
      peers: spec,
      seed: options.seed,
      api: options.api,
      apiPort: options.apiPort,
      slotDuration: options.slotDuration
    })
    yield* options.stopWithStdin
      ? withStopLimit(Effect.raceFirst(running, stdinClosed), childStopLimitMs)
      : withStopLimit(running)
  })
).pipe(
  Command.withDescription(
    help(
      "Runs the embedded network alone: prints one JSON line with its Beacon API and its peers, and goes on until stopped",
      "devnet",
      "devnet --peers honest:8,withhold:2 --slot-duration 2s --seed 7"
    )
  )
)

const run = Command.make("run", { config }, (options) =>
  withStopLimit(
    Effect.gen(function* () {
      const { config } = yield* loadConfiguration(options.config)
      yield* usePresetOf(config.network)
      const { run } = yield* lazy(() => import("./Run.ts"))
      return yield* run(config)
    })
  )
).pipe(
  Command.withDescription(
    help(
      "Watches a network, by its beacon node",
      "run --network mainnet --beacon-api http://127.0.0.1:5052",
      "run --config dasmon.yaml"
    )
  )
)

const checkConfig = Command.make("check-config", { config }, ({ config }) =>
  Effect.flatMap(
    lazy(() => import("./CheckConfig.ts")),
    ({ run }) => run(config)
  )
).pipe(
  Command.withDescription(
    help(
      "Prints what `run` would run with, and where each value comes from, secrets masked; exit code 2 when one is wrong",
      "check-config --config dasmon.yaml --workers 8"
    )
  )
)

const verifyEvidence = Command.make(
  "verify-evidence",
  {
    json: Options.boolean("json").pipe(Options.withDescription("one line of JSON for each file")),
    files: Args.text({ name: "FILE" }).pipe(Args.withDescription("a piece of evidence"), Args.atLeast(1))
  },
  ({ files, json }) =>
    Effect.flatMap(
      lazy(() => import("./VerifyEvidence.ts")),
      ({ run }) => run(files, json)
    )
).pipe(
  Command.withDescription(
    help(
      "Judges an accusation again, offline. Exit code: 0 it holds, 1 it does not, 2 a file cannot be read",
      "verify-evidence dasmon.db.evidence/*.json"
    )
  )
)

const dasmon = Command.make("dasmon", { httpAddr, peers, seed, slotDuration }, (options) =>
  Effect.flatMap(
    lazy(() => import("./Embedded.ts")),
    ({ run }) =>
      withStopLimit(
        run({
          httpAddr: options.httpAddr,
          devnetArguments: [
            ...Option.match(options.peers, { onNone: () => [], onSome: (spec) => ["--peers", spec] }),
            "--seed",
            String(options.seed),
            "--slot-duration",
            `${Duration.toMillis(options.slotDuration)}ms`
          ]
        })
      )
  )
).pipe(
  Command.withDescription(
    help(
      "Without a command: starts an embedded network of honest and dishonest peers and watches it",
      "",
      "--peers honest:3,withhold:1 --http-addr 127.0.0.1:0"
    )
  ),
  Command.withSubcommands([run, scan, blobs, monitor, checkConfig, report, verifyEvidence, devnet])
)

const commandNames = ["run", "scan", "blobs", "monitor", "check-config", "report", "verify-evidence", "devnet"]

/** Reads the command line and does what it says; what goes wrong is printed, and fails with the exit code. */
export const program = (argv: ReadonlyArray<string>) =>
  Effect.flatMap(takeSettings(argv, commandNames), ({ complaints, given, rest }) =>
    Effect.provideService(Command.run(dasmon, { name: "dasmon", version })(rest), SettingFlags, { complaints, given })
  ).pipe(
    reportFailure,
    plainWhereUnseen,
    Effect.provide(CliConfig.layer({ showBuiltIns: false })),
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )

const stdinClosed = NodeStream.stdin.pipe(Stream.runDrain, Effect.ignore)

/** Lets a program that is told to stop take only so long over it: whatever hangs then is left behind. */
const withStopLimit = <A, E, R>(program: Effect.Effect<A, E, R>, limitMs = stopLimitMs): Effect.Effect<A, E, R> =>
  Effect.raceFirst(
    program,
    Effect.onInterrupt(Effect.never, () => exitAfter(limitMs))
  )

const exitAfter = (limitMs: number) =>
  Effect.sync(() => {
    setTimeout(() => {
      process.stderr.write(`dasmon: not everything has stopped within ${limitMs} ms: exiting all the same\n`)
      Effect.runFork(endProcess(1, (code) => process.exit(code)))
    }, limitMs).unref()
  })

/** Whoever stops a service waits for ten seconds before it is killed, and whoever does not want to presses Ctrl-C again. */
const stopLimitMs = 8_000
/** A program that is started by another one is waited for by it, within the limit of that one. */
const childStopLimitMs = 3_000
