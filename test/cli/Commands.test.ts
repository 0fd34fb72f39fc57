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
        // Nobody sees colours in a file, or a pipe.
        assert.notInclude(help, "\u001b")
        assert.match(help, new RegExp(`Examples?: .*dasmon ${command.join(" ")}`))
      })
  )
})

describe("an option that is out of its range", () => {
  it.effect.each([
    [["scan", "--slots", "0", "x"], "--slots: expected a whole number from 1 to 128, got 0"],
    [
      ["scan", "--slot", "1", "--slot", "9999999999", "x"],
      "--slot: expected a whole number from 0 to 2147483648, got 9999999999"
    ],
    [
      ["monitor", "--confirm-after", "5", "x"],
      /^--confirm-after: expected a duration from 1s to 1d .* \(give a unit: 5s\)$/
    ],
    [["report", "--limit", "0"], "--limit: expected a whole number from 1 to 100000, got 0"]
  ] as const)("is told by its name, in one line: %j", ([parameters, line]) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const console = yield* Console.consoleWith(Effect.succeed)
      const failure = yield* program(["node", "dasmon", ...parameters]).pipe(
        Effect.withConsole({ ...console, error: (text: unknown) => Effect.sync(() => void lines.push(String(text))) }),
        Effect.flip,
        Effect.provide(NodeContext.layer)
      )
      assert.strictEqual(failure._tag === "ProgramFailed" ? failure.exitCode : failure, 2)
      const told = lines.join("\n").trim()
      if (typeof line === "string") assert.strictEqual(told, line)
      else assert.match(told, line)
    })
  )
})
