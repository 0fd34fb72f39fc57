import { Args, Command, Options } from "@effect/cli"
import { Duration, Effect } from "effect"
import { GoDuration } from "../../config/GoDuration.ts"
import { beaconChoice } from "../BeaconChoice.ts"
import { beaconOptions, checked, help, lazy, optionalText } from "../CommandParts.ts"

const options = {
  ...beaconOptions("its network and beacon nodes are used, and nothing else of it"),
  db: optionalText("db", "keeps what is found in this database; left out, nothing is kept"),
  confirmAfter: Options.text("confirm-after").pipe(
    checked("confirm-after", GoDuration("1s", "1d")),
    Options.withDescription("how long what did not come is left alone before it is asked for again (default 10m)"),
    Options.withDefault(Duration.minutes(10))
  ),
  target: Args.text({ name: "TARGET" }).pipe(
    Args.withDescription("an ENR, a multiaddr, an enode or a peer id of a beacon node")
  )
}

/** `dasmon monitor`: one node, followed until it is stopped. */
export const monitor = Command.make("monitor", options, (given) =>
  Effect.gen(function* () {
    const choice = yield* beaconChoice("monitor", given)
    const { run } = yield* lazy(() => import("./MonitorPeer.ts"))
    return yield* run(given, choice)
  })
).pipe(
  Command.withDescription(
    help(
      "Follows one node: asks it again and again, and tells of everything that it says and does, until it is stopped. Exit code 2 for wrong input",
      "monitor --beacon-api http://127.0.0.1:5052 enr:-…",
      "monitor --config dasmon.yaml --db one.db 16Uiu2…"
    )
  )
)
