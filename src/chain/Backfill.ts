import { type Duration, Effect, Schedule } from "effect"
import { tileOf } from "../domain/network/Tile.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import type { PatientLoader } from "./PatientLoader.ts"

/**
 * Goes once through the window from its newest tile to its oldest and asks for what is not known, with a pause after
 * each tile that had to be asked for, and a longer one after each failure; ends where the chain does not answer at all.
 * Gives the number of tiles that are still lacking and may be had: not those that are left alone for a while.
 */
export const backfillOnce = Effect.fnUntraced(function* (
  memory: ChainMemory,
  loader: PatientLoader,
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
      const attempt = yield* loader.attempt(tile)
      if (attempt === "resting") continue
      if (!memory.isComplete(tile) && attempt !== "failed") lacking++
      if (attempt === "away") next = -1
      else if (attempt === "answered") {
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

/**
 * Passes over the window for as long as it is run: soon again where the chain was away, not so soon else.
 * `passed` is run after each pass that went to the end of what can be had.
 */
export const backfill = (
  memory: ChainMemory,
  loader: PatientLoader,
  pause: Duration.Duration,
  passed: Effect.Effect<void>
): Effect.Effect<never> =>
  backfillOnce(memory, loader, pause, 1).pipe(
    Effect.flatMap((lacking) =>
      lacking > 0 || memory.head() < 0 ? Effect.sleep("5 seconds") : Effect.zipRight(passed, Effect.sleep("10 seconds"))
    ),
    Effect.forever
  )

const failureBackOff = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("30 seconds")),
  Schedule.jittered
)
