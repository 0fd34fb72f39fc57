import { ValidationError } from "@effect/cli"
import { Cause, Console, Effect, Exit, Option, Schema } from "effect"
import { ConfigError } from "../config/ConfigError.ts"
import { InvalidPeersSpec } from "../devnet/InvalidPeersSpec.ts"
import { ReportError } from "../history/report/Reports.ts"

/** The program has said what went wrong and ends with this exit code. */
export class ProgramFailed extends Schema.TaggedError<ProgramFailed>()("ProgramFailed", { exitCode: Schema.Int }) {}

/** What the person who started the program did wrong (command line, configuration). */
const usageExitCode = 2
const failureExitCode = 1

/** Prints every error as lines a person can act on; a bug is printed with its stack. */
export const reportFailure = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, ProgramFailed, R> =>
  Effect.catchAllCause(program, (cause) => {
    if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
    const failure = Option.getOrUndefined(Cause.failureOption(cause))
    if (failure instanceof ProgramFailed) return failure
    if (failure instanceof ConfigError) return failWith(usageExitCode, failure.lines)
    if (failure instanceof InvalidPeersSpec) return failWith(usageExitCode, [`--peers: ${failure.message}`])
    if (failure instanceof ReportError && failure.fault === "unreadable") {
      return failWith(usageExitCode, [`dasmon: ${failure.message}`])
    }
    // The command-line library has printed it already.
    if (ValidationError.isValidationError(failure)) return failWith(usageExitCode, [])
    if (failure instanceof Error) return failWith(failureExitCode, [`dasmon: ${failure.message}`])
    return failWith(failureExitCode, ["dasmon: this is a bug in dasmon", Cause.pretty(cause)])
  })

/** Lines about what went wrong, on standard error. */
export const complain = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(lines, (line) => Console.error(line), { discard: true })

/** The exit code of the whole program. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return failure instanceof ProgramFailed ? failure.exitCode : failureExitCode
}

/** What the person who started a command did wrong, a line each. */
export const wrong = (command: string, lines: ReadonlyArray<string>): Effect.Effect<never, ProgramFailed> =>
  failWith(
    usageExitCode,
    lines.slice(0, mostLines).map((line) => `dasmon ${command}: ${line}`)
  )

const mostLines = 20

/** Says what went wrong, and ends the program with this exit code. */
export const failWith = (exitCode: number, lines: ReadonlyArray<string>): Effect.Effect<never, ProgramFailed> =>
  Effect.zipRight(complain(lines), new ProgramFailed({ exitCode }))
