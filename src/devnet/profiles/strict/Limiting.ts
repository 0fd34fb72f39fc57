import type { Connection } from "@libp2p/interface"
import { Clock, Effect, Option, type Scope } from "effect"
import { ban, visitedUnlessBanned } from "./Banning.ts"
import type { Conduct, PeerContext, Refusal } from "../Profile.ts"
import { askedIn } from "./Asked.ts"
import type { Limiter } from "./Limiters.ts"
import { perGuest } from "./PerGuest.ts"

/** What becomes of a request that is too much. */
interface Over {
  /** Instead of an answer; silence if left out. */
  readonly refusal?: Refusal
  /** Bans with this Goodbye. */
  readonly bans?: number
  /** Hangs up without a word once the refusal is out. */
  readonly hangsUp?: boolean
}

export interface Limits {
  /** One for each remote peer, for as long as it is connected. */
  readonly limiter: () => Limiter
  readonly over: (complaint: string) => Over
  /** Runs for each guest that is not banned. */
  readonly visit: (connection: Connection) => Effect.Effect<void>
  /** The Goodbye of whoever is banned and comes again. */
  readonly banCode: number
}

/** Conduct with these limits. Whatever is too much counts as a strike in the peer's account. */
export const limiting = (
  peer: PeerContext,
  { banCode, limiter, over, visit }: Limits
): Effect.Effect<Pick<Conduct, "admit">, never, Scope.Scope> =>
  Effect.gen(function* () {
    const limiterOf = yield* perGuest(peer, limiter)
    yield* visitedUnlessBanned(peer, banCode, visit)
    return {
      admit: (request) =>
        Effect.gen(function* () {
          const { peerId, protocol } = request
          const complaint = limiterOf(peerId)(askedIn(request), yield* Clock.currentTimeMillis)
          if (complaint === undefined) return Option.none()
          yield* peer.ledger.strike(peerId, `${protocol.id}: ${complaint}`)
          const { bans, hangsUp, refusal } = over(complaint)
          if (bans !== undefined) yield* ban(peer, peerId, bans, complaint)
          if (hangsUp === true) yield* peer.hangUp(peerId)
          return refusal === undefined ? yield* Effect.never : Option.some(refusal)
        })
    }
  })
