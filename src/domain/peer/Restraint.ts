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
  at: Schema.Number,
  /** The most that a probe cost, in the units of `ClientLimits`, which was answered since; absent if none was. */
  answered: Schema.optional(Schema.Int)
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

/**
 * What a question about something suspected may cost: no more than what was answered since the last refusal, so that
 * being refused says nothing of how much is asked.
 */
export const mostQuestionUnits = (restraint: Restraint, now: number): number =>
  levelAt(restraint, now) === 0
    ? Infinity
    : Math.min(mostUnits(restraint, now), Math.max(leastQuestionUnits, restraint.answered ?? Infinity))

/** One combination by root, and by range. */
const leastQuestionUnits = 3

/**
 * `restraint` after a refusal; one that comes while the peer is left alone is of what was asked before. `isOdd`: no limit
 * explains it, since the peer answers more than that. Then no less is asked than before: whoever refuses just the
 * questions that would settle something is not left alone for it.
 */
export const withRefusal = (
  restraint: Restraint,
  testIntervalMs: number,
  now: number,
  isOdd: (restraint: Restraint) => boolean = () => false
): Restraint => {
  const level = levelAt(restraint, now)
  if (level > 0 && now - restraint.at < spacingMs(restraint, testIntervalMs, restraint.at) / 2) return restraint
  const next = level > 0 && isOdd(restraint) ? level : level + step
  return { level: Math.min(highestLevel, Math.max(firstLevel, next)), at: now }
}

/** `restraint` after a probe that was answered, and cost so many units. */
export const withAnswer = (restraint: Restraint, units: number, now: number): Restraint =>
  levelAt(restraint, now) === 0 || units <= (restraint.answered ?? 0) ? restraint : { ...restraint, answered: units }

/**
 * Whether an error says that we ask too much: what clients say in words or by code 139 or Goodbye 130, and a bare code 1
 * of a peer that has answered such requests before: then nothing is wrong with the request, and with Prysm each code 1 is
 * a strike.
 */
export const isTooMuch = (error: RequestError, hasDelivered: boolean): boolean =>
  error._tag === "PeerRefused" &&
  (error.reason === "rate_limited" || (error.reason === "invalid_request" && error.isBare === true && hasDelivered))
