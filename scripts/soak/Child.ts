import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Data, Deferred, type Duration, Effect, Schedule, type Scope } from "effect"

/** The program did not do in time what it was waited for; `message` says what, and what it printed instead. */
export class ChildFailed extends Data.TaggedError("ChildFailed")<{ readonly message: string }> {}

/** The built program as a child process. */
export interface Child {
  /** 0 if it could not be started. */
  readonly pid: number
  readonly output: () => string
  readonly errors: () => string
  /** The first match in what is printed, as soon as it is there. */
  readonly printed: (pattern: RegExp, limit: Duration.DurationInput) => Effect.Effect<RegExpExecArray, ChildFailed>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** The exit code; `null` for one that a signal ended. */
  readonly exited: (limit: Duration.DurationInput) => Effect.Effect<number | null, ChildFailed>
}

/** From `build/scripts/soak`. */
const main = fileURLToPath(new URL("../../../dist/main.js", import.meta.url))

/** Starts `node dist/main.js` with these arguments; it is killed with the scope if it has not ended by then. */
export const start = (
  parameters: ReadonlyArray<string>,
  nodeOptions: ReadonlyArray<string> = [],
  variables: Readonly<Record<string, string>> = {}
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<number | null>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--enable-source-maps", ...nodeOptions, main, ...parameters], {
          stdio: ["ignore", "pipe", "pipe"],
          env: { ...process.env, ...variables }
        })
      ),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    const said = { output: "", errors: "" }
    child.stdout.setEncoding("utf8").on("data", (part: string) => (said.output += part))
    child.stderr.setEncoding("utf8").on("data", (part: string) => (said.errors += part))
    child.once("close", (code) => Deferred.unsafeDone(ended, Effect.succeed(code)))
    const failed = (why: string) =>
      new ChildFailed({ message: `dasmon ${parameters.join(" ")} ${why}:\n${said.output}\n${said.errors}` })
    return {
      pid: child.pid ?? 0,
      output: () => said.output,
      errors: () => said.errors,
      printed: (pattern, limit) =>
        Effect.suspend(() => {
          const match = pattern.exec(said.output)
          return match === null ? Effect.fail("not yet") : Effect.succeed(match)
        }).pipe(
          Effect.retry({ while: () => child.exitCode === null, schedule: Schedule.spaced("100 millis") }),
          Effect.timeout(limit),
          Effect.mapError(() => failed(`did not print ${pattern}`))
        ),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      exited: (limit) =>
        Effect.timeoutFail(Deferred.await(ended), { duration: limit, onTimeout: () => failed("did not end") })
    }
  })
