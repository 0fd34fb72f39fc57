import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { type Duration, Effect, type Scope } from "effect"

/** For Node, and its environment. */
interface NodeSettings {
  readonly options?: ReadonlyArray<string>
  readonly variables?: Readonly<Record<string, string>>
}

/** Runs a script in a process of its own, which ends with the scope, and gives the first line that it prints. */
export const firstLineOf = (
  script: URL,
  parameters: ReadonlyArray<string>,
  limit: Duration.DurationInput,
  { options = [], variables = {} }: NodeSettings = {}
): Effect.Effect<string, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [...options, fileURLToPath(script), ...parameters], {
          stdio: ["ignore", "pipe", "inherit"],
          env: { ...process.env, ...variables }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    return yield* Effect.async<string, string>((resume) => {
      createInterface({ input: child.stdout }).once("line", (line) => resume(Effect.succeed(line)))
      child.once("exit", () => resume(Effect.fail(`${script.pathname} ended before it had printed a line`)))
    }).pipe(Effect.timeout(limit))
  })
