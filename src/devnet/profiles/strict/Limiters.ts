import { leakyBucket } from "./LeakyBucket.ts"
import type { Asked } from "./Asked.ts"

/** Charges a request of one remote peer, and gives what is wrong with it, if anything. `now`: Unix milliseconds. */
export type Limiter = (asked: Asked, now: number) => string | undefined

/**
 * So many requests of a kind, or sidecars, in so many seconds: as a bucket that holds them all and is full again after that
 * time. What is more than it ever holds is too much at once.
 */
type Quotas = Readonly<Partial<Record<Asked["kind"], readonly [most: number, seconds: number]>>>

/** Of columns the sidecars that are asked for are charged, of anything else the requests. */
const byQuotas = (quotas: Quotas): Limiter => {
  const buckets = new Map(
    Object.entries(quotas).map(([kind, [capacity, seconds]]) => [
      kind,
      leakyBucket({ capacity, leakPerSecond: capacity / seconds })
    ])
  )
  return ({ kind, sidecars }, now) => {
    const bucket = buckets.get(kind)
    const cost = kind === "range" || kind === "root" ? Math.max(1, sidecars) : 1
    if (bucket === undefined) return undefined
    if (bucket.left(now) < cost) return `${kind}: ${cost} asked for, ${Math.floor(bucket.left(now))} left`
    bucket.charge(cost, now)
    return undefined
  }
}

/** `lighthouse_network/src/rpc/config.rs` of 2024 and 2025, the smaller of its two sets. */
export const lighthouseLimiter = (): Limiter =>
  byQuotas({
    range: [5120, 10],
    root: [512, 10],
    status: [5, 15],
    metadata: [2, 5],
    ping: [2, 10],
    goodbye: [1, 10]
  })

/** `network/reqresp/rateLimit.ts`: what is asked for, by range and by root alike, and the small ones as Lighthouse has them. */
export const lodestarLimiter = (): Limiter =>
  byQuotas({
    range: [16_384, 10],
    root: [16_384, 10],
    status: [5, 15],
    metadata: [2, 5],
    ping: [2, 10],
    goodbye: [1, 10]
  })

/** `P2PConfig`, `DefaultEth2Peer`: requests of any kind, and sidecars, in the last minute. */
export const tekuLimiter = (): Limiter => {
  const requests = slidingWindow(100, 60_000)
  const sidecars = slidingWindow(2000, 60_000)
  return (asked, now) => {
    if (!requests(1, now)) return tooManyRequests
    return sidecars(asked.sidecars, now) ? undefined : `${asked.sidecars} sidecars beyond 2,000 in a minute`
  }
}

/** Beyond this Teku hangs up without a word. */
export const tooManyRequests = "more than 100 requests in a minute"

/**
 * `cl/sentinel/handlers/rate_limiter.go`: a bucket a protocol, from which a request takes one and then what it asks for;
 * whoever is refused is refused for 30 seconds.
 */
export const caplinLimiter = (): Limiter => {
  const quotas: Limiter = byQuotas({
    range: [128, 10],
    root: [128, 10],
    status: [5, 15],
    metadata: [2, 10],
    ping: [2, 10],
    goodbye: [1, 10]
  })
  const punished = new Map<Asked["kind"], number>()
  return (asked, now) => {
    if (now < (punished.get(asked.kind) ?? 0)) return `${asked.kind} again within 30 s of too much`
    const complaint = quotas(asked, now)
    if (complaint !== undefined) punished.set(asked.kind, now + 30_000)
    return complaint
  }
}

/** At most so much within any such time; what is refused is not counted. */
const slidingWindow = (most: number, milliseconds: number) => {
  let taken: ReadonlyArray<readonly [at: number, amount: number]> = []
  return (amount: number, now: number): boolean => {
    taken = taken.filter(([at]) => now - at < milliseconds)
    if (taken.reduce((sum, [, before]) => sum + before, amount) > most) return false
    taken = [...taken, [now, amount]]
    return true
  }
}
