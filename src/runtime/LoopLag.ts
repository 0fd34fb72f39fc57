import { Clock, Context, Effect, Layer } from "effect"

/** How late this process's own timers were: a timeout while we were too busy to listen is not the peer's. */
export class LoopLag extends Context.Tag("dasmon/LoopLag")<
  LoopLag,
  {
    /** The longest delay since `sinceMs` (Unix milliseconds, at most a minute ago), in milliseconds. */
    readonly worstSince: (sinceMs: number) => Effect.Effect<number>
  }
>() {
  static readonly layer = Layer.scoped(
    LoopLag,
    Effect.gen(function* () {
      const samples: Array<{ readonly at: number; readonly lag: number }> = []
      let sleepingSince = yield* Clock.currentTimeMillis
      const sample = Effect.gen(function* () {
        sleepingSince = yield* Clock.currentTimeMillis
        yield* Effect.sleep(intervalMs)
        const at = yield* Clock.currentTimeMillis
        samples.push({ at, lag: at - sleepingSince - intervalMs })
        if (samples.length > keptSamples) samples.shift()
      })
      yield* Effect.forkScoped(Effect.forever(sample))
      return LoopLag.of({
        worstSince: (sinceMs) =>
          Effect.map(Clock.currentTimeMillis, (now) =>
            samples.reduce(
              (worst, { at, lag }) => (at >= sinceMs ? Math.max(worst, lag) : worst),
              // A timer that is overdue at this moment counts too.
              Math.max(0, now - sleepingSince - intervalMs)
            )
          )
      })
    })
  )

  /** No delay is ever seen: for tests. */
  static readonly layerNone = Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(0) }))
}

const intervalMs = 100
const keptSamples = 600
