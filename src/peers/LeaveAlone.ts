import { Duration, Option } from "effect"
import type { PeerRefused } from "../domain/probe/Outcome.ts"
import { goodbyeRefusal } from "../wire/Refusal.ts"

/** For how long a peer that sent us away is not visited. One that comes by itself is met all the same. */
export interface LeaveAlone {
  /** Unix milliseconds. */
  readonly until: number
  /** Visits in a row that ended so. */
  readonly times: number
  /** Unix milliseconds; what is older than that counts no more. */
  readonly forgottenAt: number
}

export const welcome: LeaveAlone = { until: 0, times: 0, forgottenAt: 0 }

/** The refusals that are about us and last, and how long they are respected: the first time, and at most. */
const respected: Partial<Record<PeerRefused["reason"], readonly [Duration.Duration, Duration.Duration]>> = {
  // Lighthouse and Grandine ban for 12 hours, Teku for as long, Lodestar for half an hour.
  banned: [Duration.hours(1), Duration.hours(12)],
  // Lighthouse, Nimbus and Lodestar refuse for ten minutes whom they have no room for.
  too_many_peers: [Duration.minutes(10), Duration.hours(1)],
  // At the edge of a fork it may be a matter of a second; for a peer of another network it is for good.
  wrong_network: [Duration.minutes(1), Duration.minutes(30)]
}

/**
 * `before` after a refusal at `now` (Unix milliseconds): twice as long as the last time. What a peer says several times
 * in one visit, or again before it would have been visited, counts once. The same if the refusal is of another kind.
 */
export const leftAlone = (before: LeaveAlone, reason: PeerRefused["reason"], now: number): LeaveAlone => {
  const limits = respected[reason]
  if (limits === undefined) return before
  const [first, most] = limits.map((limit) => Duration.toMillis(limit))
  const remembered = now >= before.forgottenAt ? 0 : before.times
  const times = now >= before.until ? remembered + 1 : Math.max(1, remembered)
  const wait = Math.min(most ?? 0, (first ?? 0) * 2 ** (times - 1))
  return { until: Math.max(before.until, now + wait), times, forgottenAt: now + wait + Duration.toMillis(memory) }
}

/** Since its last refusal. */
const memory = Duration.hours(12)

/** The refusal that a Goodbye is, if it is one that is respected. */
export const respectedGoodbye = (code: number, atOnce: boolean): Option.Option<PeerRefused> =>
  Option.liftPredicate(goodbyeRefusal(code, atOnce), ({ reason }) => reason in respected)
