import { Cause, Clock, Duration, Effect, Exit } from "effect"
import { scaled } from "./TimeLimits.ts"

/**
 * What `check` gives, as soon as that is not `false`; while it fails, or throws, it is not so yet. Looks in real time,
 * whatever the clock of the test. Dies, of what `check` failed of last, when it takes longer than the limit, which is
 * scaled.
 */
export const eventually = <A, E = never, R = never>(
  check: Effect.Effect<A, E, R> | (() => A),
  limit: Duration.DurationInput = "20 seconds",
  every: Duration.DurationInput = "10 millis"
): Effect.Effect<Exclude<A, false>, never, R> =>
  Effect.suspend(() => {
    const attempt = Effect.exit(Effect.isEffect(check) ? check : Effect.sync(check))
    const until = performance.now() + Duration.toMillis(scaled(limit))
    const look: Effect.Effect<Exclude<A, false>, never, R> = Effect.flatMap(attempt, (exit) => {
      if (Exit.isSuccess(exit) && isTrue(exit.value)) return Effect.succeed(exit.value)
      if (performance.now() < until) return Effect.zipRight(Effect.withClock(Effect.sleep(every), Clock.make()), look)
      const why = Exit.isSuccess(exit) ? "it did not come true" : Cause.pretty(exit.cause)
      return Effect.dieMessage(`${why} (tried for ${Duration.format(limit)}, scaled)`)
    })
    return look
  })

const isTrue = <A>(value: A): value is Exclude<A, false> => value !== false
