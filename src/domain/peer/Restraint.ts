import { Schema } from "effect"
import { dayMs } from "../Day.ts"
import type { RequestError } from "../probe/Outcome.ts"

/**
 * How much less a peer is asked since it said that it was asked too much. At a level n a probe is 2^n times smaller than
 * a common one, and 2^n times rarer. The level falls evenly, to nothing within a day after the last refusal: with one
 * refusal everything doubles in six hours.
 *
 * Prysm counts each refusal as a strike, bans at five and takes one back in an hour: whoever forgets a refusal at the
 * next success has five within minutes.
 */
export const Restraint = Schema.Struct({
  level: Schema.Number,
  /** Unix milliseconds of the refusal. */
  at: Schema.Number
}).annotations({ identifier: "Restraint" })
export type Restraint = typeof Restraint.Type

export const unrestrained: Restraint = { level: 0, at: 0 }

/** Of the first refusal in a day; what is asked is 256 times less then, and rarer than any bucket takes to drain. */
const firstLevel = 4
/** Each further refusal halves twice more. */
const step = 2
const highestLevel = 10

/** What is left of the level now; a clock that was set back leaves all of it. */
export const levelAt = ({ at, level }: Restraint, now: number): number =>
  level * Math.max(0, 1 - Math.max(0, now - at) / dayMs)

/** Milliseconds between the ends of a probe and the start of the next: a pause first, and so it goes on. */
export const spacingMs = (restraint: Restraint, testIntervalMs: number, now: number): number => {
  const level = levelAt(restraint, now)
  return level === 0 ? testIntervalMs : Math.min(testIntervalMs * 2 ** level, Math.max(longestMs, testIntervalMs))
}

/** No peer gets out of being asked by saying that it is too much. */
const longestMs = 3_600_000

/**
 * What a probe may cost, in the units of `ClientLimits`, with everything that it may ask for afterwards. Always one
 * combination.
 */
export const mostUnits = (restraint: Restraint, now: number): number => {
  const level = levelAt(restraint, now)
  return level === 0 ? Infinity : Math.max(leastUnits, commonUnits / 2 ** level)
}

const commonUnits = 1024
/** One slot and column by range, four times, and by root. */
const leastUnits = 9

/** `restraint` after a refusal; one that comes while the peer is left alone is of what was asked before. */
export const withRefusal = (restraint: Restraint, testIntervalMs: number, now: number): Restraint => {
  const level = levelAt(restraint, now)
  if (level > 0 && now - restraint.at < spacingMs(restraint, testIntervalMs, restraint.at) / 2) return restraint
  return { level: Math.min(highestLevel, Math.max(firstLevel, level + step)), at: now }
}

/**
 * Whether an error says that we ask too much: what clients say in words or by code 139 or Goodbye 130, and a bare code 1
 * of a peer that has answered such requests before: then nothing is wrong with the request, and with Prysm each code 1 is
 * a strike.
 */
export const isTooMuch = (error: RequestError, hasDelivered: boolean): boolean =>
  error._tag === "PeerRefused" &&
  (error.reason === "rate_limited" || (error.reason === "invalid_request" && error.isBare === true && hasDelivered))
