/** A number in [0, 1) that depends on nothing else than its arguments (the finalizer of splitmix32). */
export const chance = (salt: number, ...values: ReadonlyArray<number>): number => {
  let mixed = salt | 0
  for (const value of values) {
    mixed = Math.imul(mixed ^ value ^ (value / 2 ** 32), 0x9e3779b1)
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    mixed ^= mixed >>> 15
  }
  return (mixed >>> 0) / 2 ** 32
}

/** A whole number from `low` to `high`, both included. */
export const between = (low: number, high: number, draw: number): number => low + Math.floor(draw * (high - low + 1))

/** One of a list that is not empty. */
export const pick = <A>(list: ReadonlyArray<A>, draw: number): A => {
  const one = list[Math.floor(draw * list.length)]
  if (one === undefined) throw new Error("nothing to pick from")
  return one
}

/**
 * Whether something that happens again and again is going on at `at` (Unix milliseconds): once in every period, at an
 * own place in it, for a part of `longestMs`.
 */
export const inPhase = (salt: number, at: number, periodMs: number, longestMs: number): boolean => {
  const period = Math.floor(at / periodMs)
  const lasts = (0.3 + 0.7 * chance(salt, period, 1)) * longestMs
  const from = period * periodMs + chance(salt, period, 2) * (periodMs - lasts)
  return at >= from && at < from + lasts
}
