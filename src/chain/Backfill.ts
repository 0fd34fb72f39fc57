import { type Duration, Effect, Schedule } from "effect"
import { isComplete } from "./ChainFollower.ts"
import { type ChainMemory, chunkOf } from "./ChainMemory.ts"
import type { ChunkLoader } from "./ChunkLoader.ts"

/**
 * Goes once through the window from its newest chunk to its oldest and asks for what is not known, with a pause after
 * each chunk that had to be asked for, and a longer one after each failure. Gives the number of chunks still lacking.
 */
export const backfillOnce = Effect.fnUntraced(function* (
  memory: ChainMemory,
  loader: ChunkLoader,
  pause: Duration.Duration,
  concurrency: number
) {
  const { end, start } = memory.window()
  let next = end < start ? -1 : chunkOf(end)
  let lacking = 0
  const worker = Effect.gen(function* () {
    const backOff = yield* Schedule.driver(failureBackOff)
    while (next >= chunkOf(start)) {
      const chunk = next--
      if (isComplete(memory, chunk)) continue
      const loaded = yield* Effect.isSuccess(loader.load(chunk, nothing))
      if (!isComplete(memory, chunk)) lacking++
      if (loaded) {
        yield* backOff.reset
        yield* Effect.sleep(pause)
      } else {
        yield* Effect.ignore(backOff.next(undefined))
      }
    }
  })
  yield* Effect.all(
    Array.from({ length: concurrency }, () => worker),
    { concurrency: "unbounded", discard: true }
  )
  return lacking
})

/** Passes over the window for as long as it is run: soon again after failures, seldom when there was nothing to do. */
export const backfill = (memory: ChainMemory, loader: ChunkLoader, pause: Duration.Duration): Effect.Effect<never> =>
  backfillOnce(memory, loader, pause, 1).pipe(
    Effect.flatMap((lacking) => Effect.sleep(lacking > 0 || memory.head() < 0 ? "5 seconds" : "1 minute")),
    Effect.forever
  )

const failureBackOff = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("30 seconds")),
  Schedule.jittered
)

const nothing = { start: 0, end: -1 }
