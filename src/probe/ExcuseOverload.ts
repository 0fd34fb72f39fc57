import { Clock, Effect } from "effect"
import { Unverifiable } from "../domain/probe/Outcome.ts"
import { LoopLag, overloadLagMs } from "../runtime/LoopLag.ts"

/** A dial or a handshake that failed while our own timers were late says nothing of the peer. */
export const makeExcuseOverload = Effect.map(
  LoopLag,
  (lag) =>
    <A, E extends { readonly _tag: string }, R>(step: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unverifiable, R> =>
      Effect.flatMap(Clock.currentTimeMillis, (since) =>
        Effect.catchIf(
          step,
          ({ _tag }) => _tag === "ProbeTimeout" || _tag === "PeerDisconnected",
          (error) =>
            Effect.gen(function* () {
              const worstMs = yield* lag.worstSince(Math.max(since, (yield* Clock.currentTimeMillis) - longestStepMs))
              return yield* Effect.fail(worstMs >= overloadLagMs ? overloaded(worstMs) : error)
            })
        )
      )
)

/** A dial with identify, or a handshake, is over by then; before it there may be a long wait for the dial's turn. */
const longestStepMs = 15_000

/** What comes of a question that we were too busy to hear the answer to. */
export const overloaded = (worstLagMs: number): Unverifiable =>
  new Unverifiable({ reason: "overload", detail: `this program was late by ${Math.round(worstLagMs)} ms` })
