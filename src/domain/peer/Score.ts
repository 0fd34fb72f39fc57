import { Duration, Schema } from "effect"
import { type OutcomeCounts, outcomeKinds } from "../probe/Outcome.ts"

/**
 * How far a peer can be relied on: 0 not at all, 1 always, 0.5 for one that nothing is known of. It is for choosing whom
 * to ask, to dial first and to keep; nobody is accused by it, and no verdict goes by it.
 */
export const Score = Schema.Struct({
  /** 0 to 1, as of `at`; with time alone it goes back to 0.5 (`scoreAt`). */
  value: Schema.Number,
  /** Unix milliseconds. */
  at: Schema.Number
}).annotations({ identifier: "Score" })
export type Score = typeof Score.Type

export const neutral = 0.5
export const neutralScore: Score = { value: neutral, at: 0 }

/** What a score changes by. */
export type Experience =
  | {
      /** The peer was asked for columns. */
      readonly _tag: "Asked"
      readonly outcomes: OutcomeCounts
      /** Columns of slots so young that nobody need have them, which it did not have. */
      readonly absent: number
      /** To the first whole chunk of the answer, milliseconds; `null` where none came. */
      readonly firstByteMs: number | null
      /** Whether it came to no answer at all. */
      readonly wasSilent: boolean
    }
  /** It could not be reached, or did not greet. */
  | { readonly _tag: "NotReached" }
  /** It would not have us. */
  | { readonly _tag: "Refused" }
  /** The connection to it was lost after so long, milliseconds. */
  | { readonly _tag: "Lost"; readonly afterMs: number }

/** The score at a moment: what is away from 0.5 halves every six hours. A clock that was set back changes nothing. */
export const scoreAt = ({ at, value }: Score, now: number): number =>
  neutral + (value - neutral) * 2 ** (-Math.max(0, now - at) / halfLifeMs)

/**
 * The score after one more experience. What is good goes first and takes it up towards what its latency deserves, what
 * is bad then takes off a part of it: so more that is bad never leaves a higher score.
 */
export const withExperience = (score: Score, experience: Experience, now: number): Score => {
  const before = scoreAt(score, now)
  const value = afterBad(afterGood(before, experience), experience)
  return { value: Math.min(1, Math.max(0, value)), at: Math.max(score.at, now) }
}

/** The same score, told as of now; the same object where that is no other to speak of. */
export const reviewedScore = (score: Score, now: number): Score => {
  const value = scoreAt(score, now)
  return Math.abs(value - score.value) < shown ? score : { value, at: Math.max(score.at, now) }
}

/** Whether both are so close that the newer need not be recorded. */
export const isNearlySame = (a: Score, b: Score): boolean => Math.floor(a.value / shown) === Math.floor(b.value / shown)

/**
 * The part of the score that one outcome of a kind takes away. What is `unverifiable` is our own doing, and what stands for
 * the absence of a young column (`absent` of an experience) weighs as little as what is merely suspected.
 */
export const weightOf: Readonly<Record<Exclude<keyof OutcomeCounts, "success">, number>> = {
  missing: 0.3,
  invalid: 0.6,
  unavailable: 0.3,
  malformed: 0.4,
  timeout: 0.15,
  disconnected: 0.1,
  refused: 0.05,
  unverifiable: 0,
  suspected: 0.05
}

const absentWeight = 0.05
const silenceWeight = 0.1
const notReachedWeight = 0.1
const refusedWeight = 0.05
/** Of a connection that is lost at once; half of that after an hour, a quarter after two. */
const lostWeight = 0.1
const lostHalfMs = Duration.toMillis("1 hour")

/** The part of the way up that one column takes which was delivered. */
const successWeight = 0.1

const halfLifeMs = Duration.toMillis("6 hours")
const shown = 0.02

const afterGood = (value: number, experience: Experience): number => {
  if (experience._tag !== "Asked" || experience.outcomes.success === 0) return value
  const { firstByteMs, outcomes } = experience
  const deserved = firstByteMs === null ? 1 : deservedBy(firstByteMs)
  return deserved + (value - deserved) * (1 - successWeight) ** several(outcomes.success)
}

const afterBad = (value: number, experience: Experience): number => {
  switch (experience._tag) {
    case "NotReached":
      return value * (1 - notReachedWeight)
    case "Refused":
      return value * (1 - refusedWeight)
    case "Lost":
      return value * (1 - lostWeight * 2 ** (-experience.afterMs / lostHalfMs))
    case "Asked": {
      const { absent, outcomes, wasSilent } = experience
      let left = value * (1 - absentWeight) ** several(absent) * (wasSilent ? 1 - silenceWeight : 1)
      for (const kind of outcomeKinds) {
        if (kind !== "success") left *= (1 - weightOf[kind]) ** several(outcomes[kind])
      }
      return left
    }
  }
}

/** Many columns of one probe are one experience and a bit: 1 counts as 1, 64 as 2.5. */
const several = (count: number): number => (count <= 0 ? 0 : 1 + Math.log2(count) / 4)

/** What a peer comes to that delivers everything: 1 within half a second, 0.7 from five seconds on, evenly by its logarithm between. */
const deservedBy = (firstByteMs: number): number => {
  const part = Math.log(Math.max(firstByteMs, fastMs) / fastMs) / Math.log(slowMs / fastMs)
  return 1 - slowCosts * Math.min(1, part)
}

const fastMs = 500
const slowMs = 5000
const slowCosts = 0.3
