import { Duration } from "effect"
import type { LookOptions } from "./Look.ts"

interface Span {
  readonly leastMs: number
  readonly mostMs: number
}

/** How often the second identity asks: drawn anew each time, so that nobody can set a clock by it. */
export interface Pace {
  /** From a probe of the first identity to the question of the second. */
  readonly soon: Span
  /** Between two looks at one peer. */
  readonly every: Span
  /** What is older says nothing of whether the peers disagree with us together. */
  readonly troubleWindowMs: number
  readonly tickMs: number
}

/**
 * With the default of 10 s between two probes of the first identity: 10 to 60 s after one of them, and each peer every 10
 * to 30 minutes. Quicker with shorter intervals, and never quicker than the first.
 */
export const paceOf = ({ confirmAfter, testInterval }: LookOptions): Pace => {
  const testMs = Duration.toMillis(testInterval)
  const leastMs = Math.max(testMs, Math.min(60 * testMs, Duration.toMillis("10 minutes")))
  const soonMs = Math.min(testMs, Duration.toMillis("10 seconds"))
  const every = { leastMs, mostMs: 3 * leastMs }
  return {
    soon: { leastMs: soonMs, mostMs: 6 * soonMs },
    every,
    troubleWindowMs: 2 * every.mostMs + 2 * Duration.toMillis(confirmAfter),
    tickMs: soonMs
  }
}
