import { setNewest } from "./Bounded.ts"

/** How much may be taken at once, and how fast that comes back; any unit. */
export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

export const unlimited: Rate = { burst: Infinity, perSecond: Infinity }

/** A token bucket. It may be overdrawn: then nothing is in it until that has come back. `now`: milliseconds. */
export interface Bucket {
  /** What may be taken now; below zero while it is overdrawn. */
  readonly room: (now: number) => number
  /** Takes so much, whether it is there or not; what is negative is given back. */
  readonly take: (amount: number, now: number) => void
  /** Milliseconds until there is so much in it, or as much as it holds. */
  readonly untilMs: (amount: number, now: number) => number
}

/** A bucket with `filled` in it at first, by default all that it holds. */
export const makeBucket = ({ burst, perSecond }: Rate, filled = burst): Bucket => {
  let level = Math.min(burst, filled)
  let at = -Infinity
  const room = (now: number): number => {
    // A clock that was set back gives nothing and takes nothing.
    const seconds = Number.isFinite(at) ? Math.max(0, now - at) / 1000 : 0
    if (seconds > 0) level = Math.min(burst, level + perSecond * seconds)
    at = now
    return level
  }
  return {
    room,
    take: (amount, now) => {
      level = Math.min(burst, room(now) - amount)
    },
    untilMs: (amount, now) => {
      const lacking = Math.min(amount, burst) - room(now)
      // Whole milliseconds, and never too few of them.
      return lacking > 0 ? Math.ceil((lacking / perSecond) * 1000) : 0
    }
  }
}

/** A bucket for each key, such as an address, of the `most` that were asked for last. */
export const makeBuckets = <K>(rate: Rate, most: number): ((key: K) => Bucket) => {
  const buckets = new Map<K, Bucket>()
  return (key) => {
    const bucket = buckets.get(key) ?? makeBucket(rate)
    setNewest(buckets, key, bucket, most)
    return bucket
  }
}
