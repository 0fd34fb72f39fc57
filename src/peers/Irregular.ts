import { type Duration, Effect, Random, Schedule } from "effect"

/**
 * Again after this time, or up to a quarter later, drawn anew each time: a question that comes at the very same interval
 * for hours is a monitor's, and who lies to all others would know by it whom to serve.
 */
export const irregular = (interval: Duration.DurationInput) =>
  Schedule.jitteredWith(Schedule.spaced(interval), { min: 1, max: longer })

/** The same for a wait in milliseconds. */
export const irregularly = (ms: number): Effect.Effect<number> =>
  Effect.map(Random.nextRange(1, longer), (factor) => ms * factor)

const longer = 1.25
