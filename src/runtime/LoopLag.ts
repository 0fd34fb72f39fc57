import { Clock, Context, Effect, Layer } from "effect"
import { daemon } from "./Daemon.ts"

/** How late this process's own timers were: a timeout while we were too busy to listen is not the peer's. */
export class LoopLag extends Context.Tag("dasmon/LoopLag")<
  LoopLag,
  {
    /** The longest delay since `sinceMs` (Unix milliseconds, at most five minutes ago), in milliseconds. */
    readonly worstSince: (sinceMs: number) => Effect.Effect<number>
  }
>() {
  static readonly layer = Layer.scoped(
    LoopLag,
    Effect.gen(function* () {
      const worst = makeWorstBySecond()
      let sleepingSince = yield* Clock.currentTimeMillis
      const sample = Effect.gen(function* () {
        sleepingSince = yield* Clock.currentTimeMillis
        yield* Effect.sleep(intervalMs)
        const at = yield* Clock.currentTimeMillis
        worst.add(at, at - sleepingSince - intervalMs)
      })
      yield* daemon("the watch over the event loop's delay", Effect.forever(sample))
      return LoopLag.of({
        worstSince: (sinceMs) =>
          // A timer that is overdue at this moment counts too.
          Effect.map(Clock.currentTimeMillis, (now) =>
            Math.max(0, now - sleepingSince - intervalMs, worst.since(sinceMs))
          )
      })
    })
  )

  /** No delay is ever seen: for tests. */
  static readonly layerNone = Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(0) }))
}

/** While timers are this late, an answer may have been waiting for us and not we for it. In milliseconds. */
export const overloadLagMs = 1_000

const intervalMs = 100
/** A probe may last four minutes: three requests, each with its limits, and the one that confirms. */
const keptSeconds = 300

/** The worst delay of each of the last seconds; a sample belongs to the second in which it ended. */
export const makeWorstBySecond = () => {
  const seconds = new Float64Array(keptSeconds).fill(-1)
  const delays = new Float64Array(keptSeconds)
  return {
    add: (at: number, delay: number): void => {
      const second = Math.floor(at / 1000)
      const place = second % keptSeconds
      delays[place] = seconds[place] === second ? Math.max(delays[place] ?? 0, delay) : delay
      seconds[place] = second
    },
    since: (sinceMs: number): number => {
      const from = Math.floor(sinceMs / 1000)
      return delays.reduce(
        (worst, delay, place) => ((seconds[place] ?? -1) >= from ? Math.max(worst, delay) : worst),
        0
      )
    }
  }
}
