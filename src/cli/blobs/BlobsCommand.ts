import { Args, Command, Options } from "@effect/cli"
import { Duration, Effect, Schema } from "effect"
import { GoDuration } from "../../config/GoDuration.ts"
import { hexOf } from "../../domain/Bytes.ts"
import { beaconChoice } from "../BeaconChoice.ts"
import { beaconOptions, checked, digits, help, lazy, optionalText } from "../CommandParts.ts"

const options = {
  index: Options.text("index").pipe(
    Options.withDescription("only the blob at this place in the block, from 0; may be given several times"),
    Options.repeated,
    checked("index", Schema.Array(digits(0, 4095)))
  ),
  versionedHash: Options.text("versioned-hash").pipe(
    Options.withDescription("only the blob that a transaction names so; may be given several times"),
    Options.repeated,
    checked("versioned-hash", Schema.Array(hexOf(32)))
  ),
  out: optionalText("out", "a folder to write the blobs to, a file each; left out, they go to standard output"),
  format: Options.choice("format", ["hex", "bin", "json"]).pipe(
    Options.withDescription(
      "hex (the default), bin (the bytes, only with --out), or json: with commitment and versioned hash; a blob a line"
    ),
    Options.withDefault("hex" as const)
  ),
  ...beaconOptions("its network, beacon nodes, peers, discovery and database are used"),
  db: optionalText(
    "db",
    "the database in which the outcomes are recorded (default: that of the configuration, where it exists and no monitor has it open)"
  ),
  timeLimit: Options.text("time-limit").pipe(
    checked("time-limit", GoDuration("5s", "1h")),
    Options.withDescription("for all of it (default 2m)"),
    Options.withDefault(Duration.minutes(2))
  ),
  patience: Options.text("patience").pipe(
    checked("patience", GoDuration("1s", "10m")),
    Options.withDescription("how long more peers are waited for once all that are connected were asked (default 20s)"),
    Options.withDefault(Duration.seconds(20))
  ),
  block: Args.text({ name: "SLOT|ROOT" }).pipe(Args.withDescription("a slot, or the root of its block"))
}

/** `dasmon blobs`: the blobs of a block, from whoever still holds their columns. */
export const blobs = Command.make("blobs", options, (given) =>
  Effect.gen(function* () {
    const choice = yield* beaconChoice("blobs", given)
    const { run } = yield* lazy(() => import("./RunBlobs.ts"))
    return yield* run(given, choice)
  })
).pipe(
  Command.withDescription(
    help(
      "Fetches the blobs of a block that nodes must still keep: asks peers for the columns, recovers what is missing from any 64 of the 128, and proves the blobs against the block's commitments. Exit code: 0 all blobs, 1 not recoverable (and which columns nobody had), 2 wrong input, or no such block or blob, 4 the beacon node does not answer",
      "blobs --beacon-api http://127.0.0.1:5052 13410308",
      "blobs --beacon-api http://127.0.0.1:5052 --index 0 --out blobs --format bin 0x…",
      "blobs --config dasmon.yaml --versioned-hash 0x01… --format json 13410308"
    )
  )
)
