import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Deferred, Duration, Effect, Schedule, type Scope } from "effect"
import { scaled } from "../TimeLimits.ts"

/** The built program as a child process. */
export interface Program {
  readonly pid: number
  /** Everything printed until now. */
  readonly output: () => string
  readonly errors: () => string
  /** The first match in what is printed, as soon as it is. All limits are scaled. */
  readonly printed: (pattern: RegExp, limit: Duration.DurationInput) => Effect.Effect<ReadonlyArray<string>, Error>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** The exit code, and the milliseconds that it took from now on; `null` for one that a signal ended. */
  readonly exited: (limit: Duration.DurationInput) => Effect.Effect<readonly [code: number | null, ms: number], Error>
}

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url))

/** Starts `node dist/main.js` with these arguments; it is killed with the scope if it has not ended by then. */
export const start = (
  parameters: ReadonlyArray<string>,
  options: {
    readonly cwd?: string
    readonly env?: NodeJS.ProcessEnv
    /** In a group of its own, so that a signal reaches what it started too: Ctrl-C in a terminal. */
    readonly detached?: boolean
    /** All that stands on its standard input; left out, that stays open. */
    readonly input?: string
  } = {}
): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<number | null>()
    const { input, ...others } = options
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [main, ...parameters], { stdio: ["pipe", "pipe", "pipe"], ...others })),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    if (input !== undefined) child.stdin.end(input)
    const output = gather(child, "stdout")
    const errors = gather(child, "stderr")
    child.once("close", (code) => Deferred.unsafeDone(ended, Effect.succeed(code)))
    return {
      pid: child.pid ?? 0,
      output,
      errors,
      printed: (pattern, limit) =>
        Effect.suspend(() => {
          const match = pattern.exec(output())
          return match === null ? Effect.fail("not yet") : Effect.succeed([...match])
        }).pipe(
          Effect.retry({ while: () => child.exitCode === null, schedule: pollSchedule }),
          Effect.timeoutFail({ duration: scaled(limit), onTimeout: () => "too late" }),
          Effect.mapError((why) => new Error(`${why}: no ${pattern} in:\n${output()}\n${errors()}`))
        ),
      signal: (signal) =>
        Effect.sync(() => {
          if (options.detached === true && child.pid !== undefined) process.kill(-child.pid, signal)
          else child.kill(signal)
        }),
      exited: (limit) =>
        Effect.timed(Deferred.await(ended)).pipe(
          Effect.timeoutFail({
            duration: scaled(limit),
            onTimeout: () => new Error(`still running:\n${output()}\n${errors()}`)
          }),
          Effect.map(([took, code]) => [code, Duration.toMillis(took)] as const)
        )
    }
  })

const gather = (child: ChildProcess, name: "stdout" | "stderr"): (() => string) => {
  let text = ""
  child[name]?.setEncoding("utf8").on("data", (part: string) => {
    text += part
  })
  return () => text
}

const pollSchedule = Schedule.spaced("50 millis")

/** The metrics of a program that serves any: the value of a series, its labels included; 0 while there is none. */
export const metricsOf = (program: Program) =>
  Effect.map(
    program.printed(/metrics at (http:\S+)/, "60 seconds"),
    ([, url = ""]) =>
      (series: string) =>
        Effect.map(
          Effect.promise((signal) => fetch(url, { signal }).then((response) => response.text())),
          (text) =>
            Number(
              text
                .split("\n")
                .find((line) => line.startsWith(`${series} `))
                ?.split(" ")[1] ?? 0
            )
        )
  )

/** What the program answers to `GET path`, as JSON. */
export const getJson = (base: string, path: string): Effect.Effect<unknown, Error> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${base}${path}`, { signal })
      if (!response.ok) throw new Error(`${path}: ${response.status}`)
      return response.json()
    },
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  }).pipe(Effect.timeoutFail({ duration: scaled("10 seconds"), onTimeout: () => new Error(`${path}: no answer`) }))
