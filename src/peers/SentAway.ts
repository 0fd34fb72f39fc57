import { Clock, Duration, Effect, Option, Random } from "effect"
import type { PeerRefused } from "../domain/probe/Outcome.ts"
import { atOnceMs } from "../wire/Refusal.ts"
import { leftAlone, respectedGoodbye, welcome } from "./LeaveAlone.ts"
import type { OnDemandProbes } from "./OnDemandProbes.ts"
import type { PeerLink } from "./PeerLink.ts"

/** What an actor does about a peer that sends us away. */
export interface SentAway {
  /** A connection to the peer is up: a visit begins. */
  readonly arrived: Effect.Effect<void>
  /** The peer refused us, in whatever way. */
  readonly refused: (refusal: PeerRefused) => Effect.Effect<void>
  /** The last connection is gone; `goodbye` is the code of its Goodbye. */
  readonly left: (goodbye: Option.Option<number>) => Effect.Effect<void>
  /** The refusal that ended the visit by Goodbye, once. */
  readonly farewell: Effect.Effect<Option.Option<PeerRefused>>
  /** Until when (Unix milliseconds) the peer wants to be left alone, and how it refused us in this visit, if it did. */
  readonly standing: () => { readonly until: number; readonly refusal: Option.Option<PeerRefused["reason"]> }
  /** Rests as usual, and for as long as the refusal wants; a peer that comes by itself is met at once. */
  readonly rest: (usual: Effect.Effect<void>) => Effect.Effect<void>
}

export const makeSentAway = (link: PeerLink, onDemand: OnDemandProbes): SentAway => {
  let alone = welcome
  let arrivedAt = 0
  let farewell = Option.none<PeerRefused>()
  let refusal = Option.none<PeerRefused["reason"]>()

  const refused = ({ reason }: PeerRefused) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      alone = leftAlone(alone, reason, now)
      refusal = Option.some(reason)
    })
  const leave = (ms: number) =>
    Effect.gen(function* () {
      const wait = Duration.millis(ms * (yield* Random.nextRange(1, 1.1)))
      yield* onDemand.notWithin(wait)
      // After a Goodbye the connection takes a moment to close.
      yield* Effect.timeoutOption(link.untilDown, "5 seconds")
      yield* Effect.raceFirst(Effect.sleep(wait), link.untilUp)
    })
  const left = Effect.map(Clock.currentTimeMillis, (now) => alone.until - now)

  return {
    arrived: Effect.map(Clock.currentTimeMillis, (now) => {
      arrivedAt = now
      farewell = Option.none()
      refusal = Option.none()
    }),
    refused,
    left: (goodbye) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        farewell = Option.flatMap(goodbye, (code) => respectedGoodbye(code, now - arrivedAt < atOnceMs))
        return Option.isSome(farewell) ? refused(farewell.value) : Effect.void
      }),
    farewell: Effect.sync(() => {
      const said = farewell
      farewell = Option.none()
      return said
    }),
    standing: () => ({ until: alone.until, refusal }),
    rest: (usual) =>
      Effect.gen(function* () {
        if ((yield* left) <= 0) {
          yield* usual
          // It may have been said meanwhile.
          if (link.isUp()) return
        }
        const ms = yield* left
        if (ms > 0) yield* leave(ms)
      })
  }
}
