/**
 * A limit that holds on average and lets a burst through. Times are Unix milliseconds. As Prysm has it, and not
 * `domain/Bucket`: what the monitor's own budgets are tried on is not made of them.
 */
export interface LeakyBucket {
  /** What may still be charged. */
  readonly left: (now: number) => number
  /** It is never fuller than full. */
  readonly charge: (cost: number, now: number) => void
}

export const leakyBucket = (options: { readonly capacity: number; readonly leakPerSecond: number }): LeakyBucket => {
  let level = 0
  let at = 0
  const leak = (now: number): void => {
    level = Math.max(0, level - (Math.max(0, now - at) / 1000) * options.leakPerSecond)
    at = now
  }
  return {
    left: (now) => {
      leak(now)
      return options.capacity - level
    },
    charge: (cost, now) => {
      leak(now)
      level = Math.min(options.capacity, level + cost)
    }
  }
}
