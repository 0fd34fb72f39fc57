import { makeBucket, makeBuckets, type Rate } from "../Bucket.ts"
import type { PeerId } from "../Primitives.ts"

export interface ServeLimitsOptions {
  /** Bytes of columns a second, over all peers; one peer has a quarter of it at most, one host a half. */
  readonly bytesPerSecond: number
  /**
   * Bytes of columns a day, over all peers, of which a sixteenth may go at once; one peer has a 32nd of either at most, and
   * all peers of one host an eighth. A quarter of it is only for peers that have had no more than half of what one may have,
   * at hosts of which the same is true.
   */
  readonly dailyBytes: number
}

/** What becomes of a request: answered after so many milliseconds, or refused with this sentence. */
type Admission =
  | { readonly _tag: "Admitted"; readonly afterMs: number }
  | { readonly _tag: "Refused"; readonly reason: string }

/** Who asks. */
export interface Guest {
  readonly peerId: PeerId
  /**
   * The host that it comes from (`addressGroup`): identities cost nothing, and all of one host are one guest. `undefined` for
   * an address of a private net or of this machine, which may be a proxy's, behind which anybody is.
   */
  readonly host: string | undefined
}

/** How much peers may have of us. Times are milliseconds. */
export interface ServeLimits {
  /** Charges a request for so many units (`unitsByRange`, `unitsByRoot`). */
  readonly admit: (guest: Guest, units: number, now: number) => Admission
  /** Charges bytes that are about to be sent, and says how many milliseconds to wait before. */
  readonly send: (guest: Guest, bytes: number, now: number) => number
}

/**
 * As clients limit their guests: Prysm's bucket of slots and sidecars by range and root alike (`sync/rate_limiter.go`), fewer
 * requests than it allows, and, because Prysm and the others say nothing of bytes, bytes a second and a day. What comes a
 * little too soon is answered a little later (phase0/p2p-interface.md, "The response must be delayed"); only what would have
 * to wait longer than a client does is refused.
 */
export const makeServeLimits = ({ bytesPerSecond, dailyBytes }: ServeLimitsOptions): ServeLimits => {
  const requestsOf = makeBuckets<PeerId>(requestRate, mostPeers)
  const unitsOf = makeBuckets<PeerId>(unitRate, mostPeers)
  const pace = makeBucket(perSecond(bytesPerSecond))
  const paceOf = makeBuckets<PeerId>(perSecond(bytesPerSecond * shareOfOne), mostPeers)
  const day = makeBucket(perDay(dailyBytes * (1 - reserved)))
  const reserve = makeBucket(perDay(dailyBytes * reserved))
  const dayOfOne = perDay(dailyBytes * dayShareOfOne)
  const dayOf = makeBuckets<PeerId>(dayOfOne, mostPeers)
  const paceOfHost = makeBuckets<string>(perSecond(bytesPerSecond * shareOfHost), mostHosts)
  const dayOfHost = perDay(dailyBytes * dayShareOfHost)
  const dayAt = makeBuckets<string>(dayOfHost, mostHosts)
  return {
    admit: ({ host, peerId }, units, now) => {
      const left = dayOf(peerId).room(now)
      const leftAtHost = host === undefined ? dayOfHost.burst : dayAt(host).room(now)
      const isModest = left >= dayOfOne.burst / 2 && leftAtHost >= dayOfHost.burst / 2
      if (left <= 0 || leftAtHost <= 0 || (day.room(now) <= 0 && !(isModest && reserve.room(now) > 0)))
        return refused("rate limited: the bytes of the day are spent")
      const requests = requestsOf(peerId)
      const sidecars = unitsOf(peerId)
      const afterMs = Math.max(requests.untilMs(1, now), sidecars.untilMs(units, now))
      if (afterMs > longestWaitMs) return refused("rate limited")
      requests.take(1, now)
      sidecars.take(Math.min(units, unitRate.burst), now)
      return { _tag: "Admitted", afterMs }
    },
    send: ({ host, peerId }, bytes, now) => {
      const paces = [pace, paceOf(peerId), ...(host === undefined ? [] : [paceOfHost(host)])]
      const afterMs = Math.max(...paces.map((one) => one.untilMs(bytes, now)))
      const common = day.room(now) > 0 ? day : reserve
      const days = [common, dayOf(peerId), ...(host === undefined ? [] : [dayAt(host)])]
      for (const bucket of [...paces, ...days]) bucket.take(bytes, now)
      return afterMs
    }
  }
}

const refused = (reason: string): Admission => ({ _tag: "Refused", reason })

/** Of the bytes a second: one peer's, and one host's. */
const shareOfOne = 1 / 4
const shareOfHost = 1 / 2
/** Of those of a day: it takes so many hosts to spend it that they are conspicuous. */
const dayShareOfOne = 1 / 32
const dayShareOfHost = 1 / 8
const reserved = 1 / 4
const requestRate: Rate = { burst: 20, perSecond: 5 }
const unitRate: Rate = { burst: 16_384, perSecond: 4096 / 30 }
/** Prysm and Lodestar give up a request of which nothing has come after 5 seconds. */
const longestWaitMs = 3_000
const mostPeers = 4_096
const mostHosts = 4_096

const perSecond = (bytes: number): Rate => ({ burst: bytes, perSecond: bytes })
const perDay = (bytes: number): Rate =>
  bytes === Infinity ? { burst: Infinity, perSecond: Infinity } : { burst: bytes / 16, perSecond: bytes / 86_400 }
