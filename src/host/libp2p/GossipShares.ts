import { type Bucket, makeBucket } from "../../domain/Bucket.ts"
import { gossipDropped } from "../../domain/metrics/Metrics.ts"

/**
 * What each peer may send us over gossip, so that none uses up what is taken of all: how many of its next messages are
 * looked at; the others are dropped before anything of them is, and counted. Copies of what others sent count too: a
 * neighbour sends each column of a block once.
 */
export const makeGossipShares = (): ((from: string, messages: number, now: number) => number) => {
  const buckets = new Map<string, Bucket>()
  return (from, messages, now) => {
    const bucket = buckets.get(from) ?? makeBucket({ burst: mostAtOnce, perSecond: mostPerSecond })
    // Those that sent something last come last; whoever is dropped begins anew, with no more than that once.
    buckets.delete(from)
    buckets.set(from, bucket)
    for (const [longAgo] of buckets) {
      if (buckets.size <= mostPeers) break
      buckets.delete(longAgo)
    }
    const admitted = Math.max(0, Math.min(messages, Math.floor(bucket.room(now))))
    bucket.take(admitted, now)
    if (admitted < messages) gossipDropped.unsafeUpdate(messages - admitted, [])
    return admitted
  }
}

/** All columns of a block every 1.3 seconds. */
const mostPerSecond = 96
/** Four blocks' columns. */
const mostAtOnce = 512
/** More than are ever connected. */
const mostPeers = 4096
