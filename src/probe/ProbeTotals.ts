import { Context, Effect, Layer, Metric } from "effect"
import { defects } from "../domain/metrics/Metrics.ts"
import type { Probe } from "../domain/probe/Job.ts"
import { addOutcomes, countOutcomes, noOutcomes, type OutcomeCounts } from "../domain/probe/Outcome.ts"

/** What was done since the program started. */
export interface Totals {
  readonly started: number
  readonly completed: number
  readonly inFlight: number
  readonly outcomes: OutcomeCounts
  /** Actors of peers that died of a bug and were started again. */
  readonly defects: number
}

/**
 * Counts probes, outcomes and defects over all peers. Synchronous, so that a probe is counted in the very step in which
 * it is told.
 */
export class ProbeTotals extends Context.Tag("dasmon/ProbeTotals")<
  ProbeTotals,
  {
    readonly now: () => Totals
    /**
     * A probe has begun. It ends with what this gives, called with its result or without one; whoever calls that again
     * changes nothing.
     */
    readonly started: () => (result?: Probe) => void
    readonly defect: Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.sync(ProbeTotals, () => {
    let totals: Totals = { started: 0, completed: 0, inFlight: 0, outcomes: noOutcomes, defects: 0 }
    return ProbeTotals.of({
      now: () => totals,
      started: () => {
        totals = { ...totals, started: totals.started + 1, inFlight: totals.inFlight + 1 }
        let hasEnded = false
        return (result) => {
          if (hasEnded) return
          hasEnded = true
          totals = { ...totals, inFlight: totals.inFlight - 1 }
          if (result === undefined) return
          const outcomes = addOutcomes(totals.outcomes, countOutcomes(result.outcomes))
          totals = { ...totals, completed: totals.completed + 1, outcomes }
        }
      },
      defect: Effect.zipRight(
        Effect.sync(() => {
          totals = { ...totals, defects: totals.defects + 1 }
        }),
        Metric.increment(defects)
      )
    })
  })
}
