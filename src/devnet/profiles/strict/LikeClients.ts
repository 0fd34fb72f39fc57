import type { Connection } from "@libp2p/interface"
import { Effect } from "effect"
import { goodbyeCodes, resultCodes } from "../../../wire/Refusal.ts"
import { noReason } from "./Banning.ts"
import { askMuch, gossipWith } from "./Demanding.ts"
import { honest } from "../Honest.ts"
import type { Profile, Refusal } from "../Profile.ts"
import { striking } from "./Striking.ts"
import { examining } from "./Unwelcoming.ts"
import { caplinLimiter, lighthouseLimiter, lodestarLimiter, tekuLimiter, tooManyRequests } from "./Limiters.ts"
import { limiting } from "./Limiting.ts"
import { cutAfter, emptyIsUnavailable, firstUnknownEnds, paced } from "./Quirks.ts"

/**
 * Honest peers as the clients are with their default settings: their limits, what they do to who goes beyond, whom they
 * ban, and the odd ways of their answers, as their own code and what was seen of them say. Each complaint is in the peer's
 * account.
 */

/** All of it at once, for as long as the guest stays. */
const both =
  (...visits: ReadonlyArray<(connection: Connection) => Effect.Effect<void>>) =>
  (connection: Connection) =>
    Effect.all(
      visits.map((visit) => visit(connection)),
      { concurrency: "unbounded", discard: true }
    )

/** Code 139, as `RPCResponseErrorCode::RateLimited`. */
const rateLimited: Refusal = { code: resultCodes.rateLimited, message: "Rate limited" }

/** Needs gossipsub; code 139 beyond its limits; below its earliest slot code 3. */
export const likeLighthouse: Profile = {
  ...honest,
  client: "lighthouse",
  depart: (conduct, peer) =>
    limiting(peer, {
      limiter: lighthouseLimiter,
      over: () => ({ refusal: rateLimited }),
      visit: both(examining(peer, conduct), (connection) => gossipWith(peer, connection)),
      banCode: noReason
    })
}

/** As Lighthouse, on whose network code it is built. */
export const likeGrandine: Profile = { ...likeLighthouse, client: "grandine" }

/**
 * Strikes beyond its default limits and bans at five (`striking`). By root it stops between blocks after five seconds,
 * without a word.
 */
export const likePrysm: Profile = {
  ...honest,
  client: "prysm",
  depart: (conduct, peer) =>
    striking(
      { ...conduct, respond: cutAfter("5 seconds", conduct.respond) },
      peer,
      { capacity: 16_384, leakPerSecond: 4096 / 30 },
      examining(peer, conduct)
    )
}

/**
 * Bans who goes beyond its limits, and asks its guest for blocks, blobs and columns. By root it ends at the first block of
 * which it has nothing.
 */
export const likeLodestar: Profile = {
  ...honest,
  client: "lodestar",
  depart: (conduct, peer) =>
    Effect.map(
      limiting(peer, {
        limiter: lodestarLimiter,
        over: () => ({ refusal: rateLimited, bans: goodbyeCodes.banned }),
        visit: both(examining(peer, conduct), (connection) => askMuch(peer, connection)),
        banCode: goodbyeCodes.banned
      }),
      (limits) => ({ ...limits, select: firstUnknownEnds })
    )
}

/** Code 1 for too many sidecars, and then it hangs up; for too many requests it hangs up at once. */
export const likeTeku: Profile = {
  ...honest,
  client: "teku",
  depart: (conduct, peer) =>
    limiting(peer, {
      limiter: tekuLimiter,
      over: (complaint) => ({
        hangsUp: true,
        ...(complaint === tooManyRequests
          ? {}
          : { refusal: { code: resultCodes.invalidRequest, message: "Peer has been rate limited" } })
      }),
      visit: examining(peer, conduct),
      banCode: goodbyeCodes.fault
    })
}

/** Never refuses: it lets chunks wait, 500 in ten seconds for all its guests together. */
export const likeNimbus: Profile = {
  ...honest,
  client: "nimbus",
  depart: (conduct, peer) =>
    Effect.map(
      limiting(peer, {
        limiter: () => () => undefined,
        over: () => ({}),
        visit: examining(peer, conduct),
        banCode: goodbyeCodes.fault
      }),
      (limits) => ({ ...limits, respond: paced({ capacity: 500, leakPerSecond: 50 }, conduct.respond) })
    )
}

/**
 * A bare code 1 for half a minute for who goes beyond its limits; code 3 where it has nothing of what is asked for by root;
 * whatever takes longer than five seconds is reset.
 */
export const likeCaplin: Profile = {
  ...honest,
  client: "caplin",
  depart: (conduct, peer) =>
    Effect.map(
      limiting(peer, {
        limiter: caplinLimiter,
        over: () => ({ refusal: { code: resultCodes.invalidRequest, message: "" } }),
        visit: examining(peer, conduct),
        banCode: goodbyeCodes.fault
      }),
      (limits) => ({ ...limits, respond: emptyIsUnavailable(conduct.respond) })
    )
}
