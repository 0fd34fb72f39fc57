import { Schema } from "effect"
import { CoverageCounts } from "./Coverage.ts"

/** A fraction between 0 and 1, and how sure it is. */
export const Interval = Schema.Struct({
  low: Schema.Number,
  high: Schema.Number,
  /** Two-sided: 0.95. */
  confidence: Schema.Number,
  /** How it was computed. */
  method: Schema.Literal("hypergeometric")
})
export type Interval = typeof Interval.Type

/** How much of what a peer owes was tested, and what that says of all of it. */
export const PeerCoverage = Schema.Struct({
  ...CoverageCounts.fields,
  /** Fraction of what it owes that a peer withholds, or serves wrongly; `null` while nothing is owed. */
  withheld: Schema.NullOr(Interval),
  /** The rest: what it was proven to have; `null` while nothing was tested, or nothing is owed. */
  proven: Schema.NullOr(
    Schema.Struct({
      /** Of what was tested. */
      share: Schema.Number,
      ...Interval.fields
    })
  )
}).annotations({ identifier: "PeerCoverage" })
export type PeerCoverage = typeof PeerCoverage.Type

export const coverageView = (counts: CoverageCounts): PeerCoverage => {
  const { failed, owed, tested } = counts
  const withheld = owed === 0 ? null : withheldInterval(counts)
  return {
    ...counts,
    withheld,
    proven:
      withheld === null || tested === 0
        ? null
        : { ...withheld, share: (tested - failed) / tested, low: 1 - withheld.high, high: 1 - withheld.low }
  }
}

/**
 * The exact 95% interval for the broken fraction of `owed` combinations when `failed` of `tested` were found broken:
 * sampling without replacement, the hypergeometric distribution inverted (the Clopper-Pearson interval of a finite
 * population). It becomes a point when everything was tested. It takes the tested combinations for a random sample of
 * those owed: of data that is withheld in one piece, such as the oldest slots, fewer independent pieces were tested.
 */
export const withheldInterval = ({ failed, owed, tested }: CoverageCounts): Interval => {
  const n = Math.min(tested, owed)
  const k = Math.min(failed, n)
  const limits = { low: k, high: owed - (n - k) }
  // The least number of broken ones at which so many failures are not too many, and the greatest at which not too few.
  const low = firstWith(limits, (broken) => atLeast(k, owed, broken, n) > tail)
  const tooMany = firstWith({ low, high: limits.high + 1 }, (broken) => atMost(k, owed, broken, n) <= tail)
  return { low: low / owed, high: (tooMany - 1) / owed, confidence: 0.95, method: "hypergeometric" }
}

const tail = 0.025

/** The first number of a range from which on the condition holds; one beyond its end if it never does. */
const firstWith = ({ high, low }: { readonly low: number; readonly high: number }, holds: (n: number) => boolean) => {
  let [below, above] = [low, high]
  while (below < above) {
    const middle = Math.floor((below + above) / 2)
    if (holds(middle)) above = middle
    else below = middle + 1
  }
  return below
}

/** P(X <= k), for k below the mean; else some number that is not small. */
const atMost = (k: number, total: number, broken: number, n: number): number => {
  if (broken > total - (n - k)) return 0
  if (k >= (n * broken) / total) return 1
  let term = Math.exp(logProbability(k, total, broken, n))
  let sum = term
  for (let x = k; x > 0 && term > sum * negligible; x--) {
    term *= (x * (total - broken - n + x)) / ((broken - x + 1) * (n - x + 1))
    sum += term
  }
  return sum
}

/** P(X >= k): as many broken ones as failures found are as many sound ones as successes left out. */
const atLeast = (k: number, total: number, broken: number, n: number): number => atMost(n - k, total, total - broken, n)

const negligible = 1e-12

/** ln P(X = k): k of n drawn are broken when `broken` of `total` are. */
const logProbability = (k: number, total: number, broken: number, n: number): number =>
  logChoose(broken, k) + logChoose(total - broken, n - k) - logChoose(total, n)

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

/** Stirling's series; exact to 1e-10 and better from 16 on, and below that the sum is short. */
const logFactorial = (n: number): number => {
  if (n < 16) {
    let sum = 0
    for (let factor = 2; factor <= n; factor++) sum += Math.log(factor)
    return sum
  }
  const x = n + 1
  const inverse = 1 / (x * x)
  return (
    (x - 0.5) * Math.log(x) -
    x +
    0.5 * Math.log(2 * Math.PI) +
    (1 - inverse / 30 + (inverse * inverse) / 105) / (12 * x)
  )
}
