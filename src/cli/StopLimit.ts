import { Effect } from "effect"

/** What a person waits for after Ctrl-C, at most. */
const stopLimitMs = 4_500

/** Lets a program that is told to stop take only so long over it: whatever hangs then is left behind. */
export const withStopLimit = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(
    program,
    Effect.onInterrupt(Effect.never, () => startLimit)
  )

const startLimit = Effect.sync(() => {
  setTimeout(() => {
    process.stderr.write(`not everything had stopped after ${stopLimitMs} ms; leaving\n`)
    process.exit(1)
  }, stopLimitMs).unref()
})
