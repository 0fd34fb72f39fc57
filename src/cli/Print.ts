import { Console, Effect } from "effect"

/** A line for the person who started the program, on standard output. */
export const print = (line: string): Effect.Effect<void> => Console.log(line)

/** Lines about what went wrong, on standard error. */
export const complain = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(lines, (line) => Console.error(line), { discard: true })
