import { Context, Effect, Layer, Metric, Ref } from "effect"
import type { Probe } from "../domain/probe/Job.ts"
import * as Metrics from "../domain/metrics/Metrics.ts"
import { addOutcomes, countOutcomes, noOutcomes, type OutcomeCounts } from "../domain/probe/Outcome.ts"

/** What was done since the program started. */
export interface Totals {
  readonly started: number
  readonly completed: number
  readonly inFlight: number
  readonly outcomes: OutcomeCounts
  readonly defects: number
}

/** Counts probes, outcomes and defects over all peers. */
export class Tally extends Context.Tag("dasmon/Tally")<
  Tally,
  {
    readonly totals: Effect.Effect<Totals>
    readonly probeStarted: Effect.Effect<void>
    /** Every started probe ends in this, with or without a result. */
    readonly probeEnded: (probe: Probe | undefined) => Effect.Effect<void>
    readonly defect: Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.effect(
    Tally,
    Effect.map(
      Ref.make<Totals>({ started: 0, completed: 0, inFlight: 0, outcomes: noOutcomes, defects: 0 }),
      (totals) =>
        Tally.of({
          totals: Ref.get(totals),
          probeStarted: Effect.all(
            [
              Ref.update(totals, (now) => ({ ...now, started: now.started + 1, inFlight: now.inFlight + 1 })),
              Metric.increment(Metrics.probesStarted),
              Metric.increment(Metrics.probesInFlight)
            ],
            { discard: true }
          ),
          probeEnded: (probe) =>
            Ref.update(totals, (now) => ({
              ...now,
              inFlight: now.inFlight - 1,
              completed: now.completed + (probe === undefined ? 0 : 1),
              outcomes: probe === undefined ? now.outcomes : addOutcomes(now.outcomes, countOutcomes(probe.outcomes))
            })).pipe(Effect.zipRight(Metric.incrementBy(Metrics.probesInFlight, -1))),
          defect: Ref.update(totals, (now) => ({ ...now, defects: now.defects + 1 })).pipe(
            Effect.zipRight(Metric.increment(Metrics.defects))
          )
        })
    )
  )
}
