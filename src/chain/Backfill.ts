import { type Duration, Effect, Schedule } from "effect"
import { tileOf } from "../domain/network/Tile.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import type { TileLoader } from "./TileLoader.ts"

/**
 * Goes once through the window from its newest tile to its oldest and asks for what is not known, with a pause after
 * each tile that had to be asked for, and a longer one after each failure. Gives the number of tiles still lacking.
 */
export const backfillOnce = Effect.fnUntraced(function* (
  memory: ChainMemory,
  loader: TileLoader,
  pause: Duration.Duration,
  concurrency: number
) {
  const { end, start } = memory.window()
  let next = end < start ? -1 : tileOf(end)
  let lacking = 0
  const worker = Effect.gen(function* () {
    const backOff = yield* Schedule.driver(failureBackOff)
    while (next >= tileOf(start)) {
      const tile = next--
      if (memory.isComplete(tile)) continue
      const loaded = yield* Effect.isSuccess(loader.load(tile))
      if (!memory.isComplete(tile)) lacking++
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
export const backfill = (memory: ChainMemory, loader: TileLoader, pause: Duration.Duration): Effect.Effect<never> =>
  backfillOnce(memory, loader, pause, 1).pipe(
    Effect.flatMap((lacking) => Effect.sleep(lacking > 0 || memory.head() < 0 ? "5 seconds" : "1 minute")),
    Effect.forever
  )

const failureBackOff = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("30 seconds")),
  Schedule.jittered
)
