import { neutral } from "./Score.ts"

/** A peer that could be dialled, as it waits for its turn. */
export interface Waiting {
  /** Unix milliseconds at which it was probed or dialled last; 0 for never. */
  readonly touchedAt: number
  /** How far it can be relied on now, 0 to 1 (`scoreAt`). */
  readonly score: number
}

/**
 * Whether a peer is dialled before another that would be as useful. Who was never dialled goes first. Of the others each
 * waits for as long as anyone, but who scores 1 has a start of an hour before who is neutral, and that one the same before
 * who scores 0. So of those that have waited about as long the good ones come first; and a peer that has waited two hours
 * longer goes before all others, whatever it is: the bad ones, whom a monitor must keep looking at, come late in a round,
 * and never too late. What is known of a peer fades while it waits, and its score with it.
 */
export const isBefore = (one: Waiting, other: Waiting): boolean => {
  if (one.touchedAt === 0 || other.touchedAt === 0) return one.touchedAt < other.touchedAt
  return startOf(one) < startOf(other)
}

const startOf = ({ score, touchedAt }: Waiting): number => touchedAt - (score - neutral) * 2 * mostMs

const mostMs = 3_600_000
