import { Command, Options } from "@effect/cli"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { guestSoak } from "./Guests.ts"
import { soak } from "./Soak.ts"

const minutes = Options.float("minutes").pipe(
  Options.withDescription("how long there is trouble, or the monitor is a guest (default 20)"),
  Options.withDefault(20)
)
const seed = Options.integer("seed").pipe(
  Options.withDescription("of the devnet, and of what goes wrong when (default 1)"),
  Options.withDefault(1)
)
const guests = Options.boolean("guests").pipe(
  Options.withDescription(
    "whether honest peers that throw their guests out keep the monitor, instead of all the trouble"
  )
)

const participate = Options.boolean("participate").pipe(
  Options.withDescription("whether the monitor participates in the gossip of columns, and keeps and serves its own")
)

const command = Command.make("soak", { minutes, seed, participate, guests }, ({ guests, ...options }) =>
  Effect.gen(function* () {
    const { numbers, problems, table } = yield* guests ? guestSoak(options) : soak(options)
    yield* Effect.forEach(table, (line) => Console.log(line), { discard: true })
    yield* Effect.forEach(problems, (problem) => Console.error(`WRONG: ${problem}`), { discard: true })
    yield* Console.log(JSON.stringify(numbers))
    if (problems.length > 0) yield* Effect.sync(() => (process.exitCode = 1))
  })
).pipe(
  Command.withDescription(
    "Watches a devnet of every profile for long, through outages of the beacon node, reorgs and a kill -9; the last line is JSON"
  )
)

Command.run(command, { name: "soak", version: "1" })(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
