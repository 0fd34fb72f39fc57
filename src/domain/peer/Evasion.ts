import { Schema } from "effect"

/**
 * Whether a peer escapes: how often the question that would have settled what it left out came to nothing, beside how
 * often its other conversations between two such questions did. The last few dozen questions count.
 */
export const Evasion = Schema.Struct({
  /** Questions that were to settle a suspicion. */
  asked: Schema.Int,
  /** Of these, the ones that the peer let come to nothing. */
  escaped: Schema.Int,
  /** Conversations about what nothing was suspected of; two for each question, at most. */
  ordinary: Schema.Number,
  /** The part of these that came to nothing. */
  troubled: Schema.Number,
  /** Conversations since the last question, which the next one takes into account; none if there were none. */
  lately: Schema.optional(Schema.Struct({ ordinary: Schema.Int, troubled: Schema.Int })),
  /** Unix milliseconds of the last question that was counted. */
  countedAt: Schema.Number,
  /** Questions by root within the conversation in which something was left out, which count beside the others. */
  followUps: Schema.optional(
    Schema.Struct({
      /** Unix milliseconds of the last one that was counted. */
      countedAt: Schema.Number,
      /** Of the escapes, those that were counted so, and not taken back since. */
      open: Schema.Int
    })
  )
}).annotations({ identifier: "Evasion" })
export type Evasion = typeof Evasion.Type

export const noEvasion: Evasion = { asked: 0, escaped: 0, ordinary: 0, troubled: 0, countedAt: 0 }

/** Fewer escapes than these are never called so. */
const leastEscapes = 6

/** How improbable so many escapes must be for a peer whose questions come to nothing as often as its conversations do. */
const significance = 1e-6

/**
 * A peer whose trouble has nothing to do with what it is asked escapes as often as its ordinary conversations come to
 * nothing. The rate of that is taken higher than it was seen, by one standard error of (troubled + 2) / (ordinary + 4), and the peer is
 * evasive when it escaped at least six times and so often that this rate explains it with a probability below one in a
 * million. Over independent trouble of any rate, and over outages short and long, that accuses fewer than one honest peer
 * in 10,000 (`test/domain/peer/Evasion.test.ts` counts none in 24,000, after forty questions each). Questions within one
 * `confirm_after` count once, and what was said between two questions weighs as much however often it was spoken: an
 * outage shows in both.
 */
export const isEvasive = ({ asked, escaped, ordinary, troubled }: Evasion): boolean => {
  const mean = (troubled + 2) / (ordinary + 4)
  const rate = mean + Math.sqrt((mean * (1 - mean)) / (ordinary + 4))
  return escaped >= leastEscapes && escaped > asked * rate && binomialTail(escaped, asked, rate) < significance
}

/** One more question that was to settle a suspicion; within `spacingMs` of the last one it does not count. */
export const withQuestion = (evasion: Evasion, escaped: boolean, at: number, spacingMs: number): Evasion =>
  isCountedAt(evasion, at, spacingMs) ? recent(withLately(evasion, escaped, at)) : evasion

/**
 * One more question by root about what was left out just before, whether the peer brought all of it or escaped; within
 * `spacingMs` of the last such one it does not count. It takes no other question's place: one that escapes only later, or
 * only at once, is found out either way.
 */
export const withFollowUp = (evasion: Evasion, escaped: boolean, at: number, spacingMs: number): Evasion => {
  const { countedAt, open } = evasion.followUps ?? noFollowUps
  if (at - countedAt < spacingMs) return evasion
  return recent({
    ...withLately(evasion, escaped, at),
    countedAt: evasion.countedAt,
    followUps: { countedAt: at, open: open + (escaped ? 1 : 0) }
  })
}

const noFollowUps = { countedAt: -Infinity, open: 0 }

/** Whoever brings, when asked again, all that it had left out takes back one escape from a question by root before. */
export const withDelivery = (evasion: Evasion): Evasion => {
  const { followUps } = evasion
  if (followUps === undefined || followUps.open === 0 || evasion.escaped === 0) return evasion
  return { ...evasion, escaped: evasion.escaped - 1, followUps: { ...followUps, open: followUps.open - 1 } }
}

/** Whether a question at this moment counts. */
export const isCountedAt = ({ countedAt }: Evasion, at: number, spacingMs: number): boolean =>
  at - countedAt >= spacingMs

export const withConversation = (evasion: Evasion, troubled: boolean): Evasion => {
  const { lately = nothingLately } = evasion
  return { ...evasion, lately: { ordinary: lately.ordinary + 1, troubled: lately.troubled + (troubled ? 1 : 0) } }
}

const nothingLately = { ordinary: 0, troubled: 0 }

/** Conversations that one question takes into account, at most. */
const mostBetween = 2

/** The conversations of a day ago say nothing of a question of today, and the other way round. */
const withLately = ({ lately = nothingLately, ...before }: Evasion, escaped: boolean, at: number): Evasion => {
  const weight = Math.min(mostBetween, lately.ordinary)
  return {
    asked: before.asked + 1,
    escaped: before.escaped + (escaped ? 1 : 0),
    ordinary: before.ordinary + weight,
    troubled: before.troubled + (weight === 0 ? 0 : (weight * lately.troubled) / lately.ordinary),
    countedAt: at,
    ...(before.followUps === undefined ? {} : { followUps: before.followUps })
  }
}

const remembered = 32

/** Forgets half of everything when there is too much of it. */
const recent = (evasion: Evasion): Evasion =>
  evasion.asked <= remembered
    ? evasion
    : {
        ...evasion,
        asked: Math.ceil(evasion.asked / 2),
        escaped: Math.floor(evasion.escaped / 2),
        ordinary: evasion.ordinary / 2,
        troubled: evasion.troubled / 2,
        ...(evasion.followUps === undefined
          ? {}
          : { followUps: { ...evasion.followUps, open: Math.floor(evasion.followUps.open / 2) } })
      }

/** P(X >= k) of n independent events of this rate, which is below 1. */
const binomialTail = (k: number, n: number, rate: number): number => {
  let term = (1 - rate) ** n
  let sum = 0
  for (let x = 0; x <= n; x++) {
    if (x >= k) sum += term
    term *= ((n - x) / (x + 1)) * (rate / (1 - rate))
  }
  return sum
}
