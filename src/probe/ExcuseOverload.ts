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
            Effect.flatMap(lag.worstSince(since), (worstMs) =>
              Effect.fail(worstMs >= overloadLagMs ? overloaded(worstMs) : error)
            )
        )
      )
)

/** What comes of a question that we were too busy to hear the answer to. */
export const overloaded = (worstLagMs: number): Unverifiable =>
  new Unverifiable({ reason: "overload", detail: `this program was late by ${Math.round(worstLagMs)} ms` })
