import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect } from "effect"
import { program } from "../../src/cli/Commands.ts"

/** What the program prints on standard output. */
const printed = (...parameters: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    yield* Effect.withConsole(program(["node", "dasmon", ...parameters]), {
      ...console,
      log: (line: unknown) => Effect.sync(() => void lines.push(String(line)))
    })
    return lines.join("\n")
  }).pipe(Effect.provide(NodeContext.layer))

describe("every command", () => {
  it.effect.each([[], ["run"], ["check-config"], ["report"], ["scan"], ["monitor"], ["verify-evidence"], ["devnet"]])(
    "has help with examples: %j",
    (command) =>
      Effect.gen(function* () {
        const help = yield* printed(...command, "--help")
        assert.match(help, new RegExp(`Examples?: .*dasmon ${command.join(" ")}`))
      })
  )
})
