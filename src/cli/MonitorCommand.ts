import { Args, Command, Options } from "@effect/cli"
import { Duration, Effect } from "effect"
import { GoDuration } from "../config/GoDuration.ts"
import { help, lazy } from "./CommandParts.ts"

const optionalText = (name: string, description: string) =>
  Options.text(name).pipe(Options.withDescription(description), Options.optional)

const options = {
  beaconApi: optionalText("beacon-api", "the beacon node that is believed about the chain; a public one will do"),
  config: optionalText("config", "a configuration whose beacon node is used instead; nothing else of it is"),
  db: optionalText("db", "keeps what is found in this database; left out, nothing is kept"),
  confirmAfter: Options.text("confirm-after").pipe(
    Options.withSchema(GoDuration("1s", "1d")),
    Options.withDescription("how long what did not come is left alone before it is asked for again (default 10m)"),
    Options.withDefault(Duration.minutes(10))
  ),
  target: Args.text({ name: "TARGET" }).pipe(
    Args.withDescription("an ENR, a multiaddr, an enode or a peer id of a beacon node")
  )
}

/** `dasmon monitor`: one node, followed until it is stopped. */
export const monitor = Command.make("monitor", options, (given) =>
  Effect.flatMap(
    lazy(() => import("./MonitorPeer.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription(
    help(
      "Follows one node: asks it again and again, and tells of everything that it says and does, until it is stopped. Exit code 2 for wrong input",
      "monitor --beacon-api http://127.0.0.1:5052 enr:-…",
      "monitor --config dasmon.yaml --db one.db 16Uiu2…"
    )
  )
)
