import { Cause, Clock, Duration, Effect, Metric } from "effect"
import { defects } from "../domain/metrics/Metrics.ts"
import { messageOf } from "../domain/Text.ts"
import { Daemons } from "./Daemon.ts"

/** Gives what the work gives; in place of a defect it fails with what `errorOf` makes of the defect's message. */
export type Guard = <A, E, R, E2>(
  work: Effect.Effect<A, E, R>,
  errorOf: (reason: string) => E2
) => Effect.Effect<A, E | E2, R>

/**
 * For work that somebody waits for, what `daemon` is for loops: a defect, or an end by interruption that is not the
 * caller's own, is logged with its cause (at most every five minutes) and counted, and never ends whoever asked. With `isShown` it is among the failing daemons until the work ends otherwise: for work that is done often.
 */
export const makeGuard = (name: string, { isShown }: { readonly isShown: boolean }): Effect.Effect<Guard> =>
  Effect.map(Daemons, (daemons) => {
    let toldAt = -Infinity
    const well = daemons.recovered(name)
    const tell = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
      const now = yield* Clock.currentTimeMillis
      if (now - toldAt < toldEveryMs) return yield* Effect.logDebug(`${name} failed`, cause)
      toldAt = now
      yield* Effect.logError(`${name} failed`, cause)
    })
    const failed = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
      const reason = Cause.isInterruptedOnly(cause) ? "it was interrupted" : messageOf(Cause.squash(cause))
      yield* Metric.increment(defects)
      yield* daemons.failed(name, reason)
      if (!isShown) yield* well
      yield* tell(cause)
      return reason
    })
    const guard: Guard = <A, E, R, E2>(work: Effect.Effect<A, E, R>, errorOf: (reason: string) => E2) =>
      work.pipe(
        Effect.tap(() => well),
        Effect.catchAllCause((cause): Effect.Effect<never, E | E2> =>
          Cause.isDie(cause) || Cause.isInterruptedOnly(cause)
            ? Effect.flatMap(failed(cause), (reason) => Effect.fail(errorOf(reason)))
            : Effect.zipRight(well, Effect.failCause(cause))
        )
      )
    return guard
  })

const toldEveryMs = Duration.toMillis("5 minutes")
