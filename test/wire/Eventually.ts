import { Effect, Schedule } from "effect"

/** Returns when `condition` holds, and dies if that takes longer than two seconds. */
export const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.fail("it does not come true"))).pipe(
    Effect.retry({ times: 200, schedule: Schedule.spaced("10 millis") }),
    Effect.orDie
  )
