import { Args, Command, Options } from "@effect/cli"
import { Effect, Schema } from "effect"
import { GoDuration } from "../../config/GoDuration.ts"
import { whole } from "../../config/Values.ts"
import { defaultConfirmAfter } from "../../scan/ScanOptions.ts"
import { beaconChoice } from "../BeaconChoice.ts"
import { beaconOptions, checked, digits, help, lazy, optionalText } from "../CommandParts.ts"

const mostSlots = 128

const scanOptions = {
  slots: Options.integer("slots").pipe(
    checked("slots", whole(1, mostSlots)),
    Options.withDescription("how many random slots to ask for (default: 4 to 16, by how many columns it claims)"),
    Options.optional
  ),
  slot: Options.text("slot").pipe(
    Options.withDescription("just this slot, in place of random ones; may be given several times"),
    Options.repeated,
    checked("slot", Schema.Array(digits(0, 2 ** 31)).pipe(Schema.maxItems(mostSlots)))
  ),
  columns: Options.choice("columns", ["owed", "all"]).pipe(
    Options.withDescription(
      "owed (the default): the columns that it claims; all: every column, where those beyond its claim are no fault of it"
    ),
    Options.withDefault("owed" as const)
  ),
  format: Options.choice("format", ["table", "json"]).pipe(
    Options.withDescription("table (the default), or json: a line for each target, with everything"),
    Options.withDefault("table" as const)
  ),
  failOn: Options.text("fail-on").pipe(
    Options.withDescription(
      "verdicts that make the exit code 1, with commas between, or none (default violating,evasive)"
    ),
    Options.withDefault("violating,evasive")
  ),
  file: optionalText("file", "a file of targets, one a line; # begins a comment; - is standard input"),
  ...beaconOptions("its network, beacon nodes and database are used"),
  db: optionalText(
    "db",
    "a monitor's database, which may know where a peer is (default: that of the configuration, dasmon.db)"
  ),
  evidence: optionalText("evidence", "a folder for evidence of wrong data, for dasmon verify-evidence"),
  confirmAfter: Options.text("confirm-after").pipe(
    checked("confirm-after", GoDuration("1s", "1h")),
    Options.withDescription("how long what did not come is left alone before it is asked for again (default 15s)"),
    Options.withDefault(defaultConfirmAfter)
  ),
  timeLimit: Options.text("time-limit").pipe(
    checked("time-limit", GoDuration("5s", "1d")),
    Options.withDescription("for each target (default: 45s and three times --confirm-after)"),
    Options.optional
  ),
  concurrency: Options.integer("concurrency").pipe(
    checked("concurrency", whole(1, 64)),
    Options.withDescription("targets at once (default 8)"),
    Options.withDefault(8)
  ),
  targets: Args.text({ name: "TARGET" }).pipe(
    Args.withDescription(
      "an ENR, a multiaddr, an enode or a peer id of a beacon node; - reads them from standard input"
    ),
    Args.repeated
  )
}

/** `dasmon scan`: whether one node, or some, keep what they claim. */
export const scan = Command.make("scan", scanOptions, (given) =>
  Effect.gen(function* () {
    const choice = yield* beaconChoice("scan", given)
    const { run } = yield* lazy(() => import("./RunScan.ts"))
    return yield* run(given, choice)
  })
).pipe(
  Command.withDescription(
    help(
      "Asks a node what it claims and for a part of what it owes, verifies it, and says in a minute whether it is all right. Exit code: 0 none came to a verdict of --fail-on, 1 one did, 2 wrong input, 3 a target was not reached, 4 the beacon node does not answer",
      "scan --beacon-api http://127.0.0.1:5052 enr:-…",
      "scan --beacon-api http://127.0.0.1:5052 --format json --file nodes.txt",
      "scan --config dasmon.yaml --slots 32 /ip4/192.0.2.1/tcp/9000/p2p/16Uiu2…"
    )
  )
)
