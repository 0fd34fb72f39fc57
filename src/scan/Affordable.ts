import { Clock, Effect, Option } from "effect"

/** Asks a budget again and again until it gives something. `now`: Unix milliseconds. */
export const untilAfforded = <A>(ask: (now: number) => Option.Option<A>): Effect.Effect<A> =>
  Effect.map(Clock.currentTimeMillis, ask).pipe(
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.zipRight(Effect.sleep(budgetPause), untilAfforded(ask)),
        onSome: Effect.succeed
      })
    )
  )

const budgetPause = "500 millis"
