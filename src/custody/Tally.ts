import { Effect, Metric } from "effect"
import type { OwnCustodyState } from "../domain/custody/OwnCustodyState.ts"
import {
  custodyKept,
  custodyLost,
  custodyPublished,
  custodyRecovered,
  custodyRefused,
  custodyServed,
  custodyServedBytes
} from "../domain/metrics/Metrics.ts"

/** What our custody has done since the start, counted here and in the metrics. */
export interface Tally {
  readonly served: (by: "range" | "root", bytes: number) => Effect.Effect<void>
  readonly refused: (reason: "limited" | "unavailable" | "invalid" | "failed") => Effect.Effect<void>
  readonly kept: (count: number) => Effect.Effect<void>
  readonly lost: (count: number) => Effect.Effect<void>
  readonly recovered: (count: number) => Effect.Effect<void>
  /** One recovered column: whether it was published, or another node was first. */
  readonly published: (result: "published" | "seen") => Effect.Effect<void>
  readonly now: () => Pick<
    OwnCustodyState,
    "kept" | "lost" | "served" | "servedBytes" | "refused" | "recovered" | "published"
  >
}

export const makeTally = (): Tally => {
  const counts = { kept: 0, lost: 0, served: 0, servedBytes: 0, refused: 0, recovered: 0, published: 0 }
  return {
    served: (by, bytes) =>
      Effect.suspend(() => {
        counts.served++
        counts.servedBytes += bytes
        return Effect.zipRight(
          Metric.increment(custodyServed.of({ by })),
          Metric.incrementBy(custodyServedBytes, bytes)
        )
      }),
    refused: (reason) =>
      Effect.suspend(() => {
        counts.refused++
        return Metric.increment(custodyRefused.of({ reason }))
      }),
    kept: (count) =>
      Effect.suspend(() => {
        counts.kept += count
        return Metric.incrementBy(custodyKept, count)
      }),
    lost: (count) =>
      Effect.suspend(() => {
        counts.lost += count
        return Metric.incrementBy(custodyLost, count)
      }),
    recovered: (count) =>
      Effect.suspend(() => {
        counts.recovered += count
        return Metric.incrementBy(custodyRecovered, count)
      }),
    published: (result) =>
      Effect.suspend(() => {
        if (result === "published") counts.published++
        return Metric.increment(custodyPublished.of({ result }))
      }),
    now: () => ({ ...counts })
  }
}
