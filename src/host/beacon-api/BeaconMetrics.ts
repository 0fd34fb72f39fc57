import { Effect, Exit, Metric } from "effect"
import { beaconEndpoints, beaconRequests, beaconRequestSeconds } from "../../domain/metrics/Metrics.ts"

type Endpoint = (typeof beaconEndpoints)[number]

/** Counts and times one request for `path`; an interrupted one is not counted. */
export const measured =
  <A>(path: string, outcomeOf: (answer: A) => "ok" | "not_found" | "failed") =>
  <E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const endpoint = endpointOf(path)
      const begun = performance.now()
      return Effect.onExit(request, (exit) => {
        if (Exit.isInterrupted(exit)) return Effect.void
        const outcome = Exit.isSuccess(exit) ? outcomeOf(exit.value) : "failed"
        return Effect.zipRight(
          Metric.increment(beaconRequests.of({ endpoint, outcome })),
          Metric.update(beaconRequestSeconds.of({ endpoint }), (performance.now() - begun) / 1000)
        )
      })
    })

/** Slots and roots are no names of endpoints. */
const endpointOf = (path: string): Endpoint =>
  path
    .replace(/[?#].*$/s, "")
    .split("/")
    .reverse()
    .flatMap((part) => beaconEndpoints.find((endpoint) => endpoint === part) ?? [])
    .at(0) ?? "other"
