import { Duration } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import type { PeerId } from "../domain/Primitives.ts"
import type { TrackedPeer } from "./Peers.ts"

/** Who was sent away for a low score, and for how long it stays away: an hour, twice as long each further time, a day at most. */
export interface SentAwayPeers {
  readonly add: (peerId: PeerId, now: number) => void
  readonly isAway: (peerId: PeerId, now: number) => boolean
}

export const makeSentAwayPeers = (): SentAwayPeers => {
  const away = new Map<PeerId, { readonly times: number; readonly until: number }>()
  return {
    add: (peerId, now) => {
      const before = away.get(peerId)
      // A day after it might have come back it begins anew.
      const times = before === undefined || now - before.until > longestMs ? 1 : before.times + 1
      const until = now + Math.min(longestMs, firstMs * 2 ** (times - 1))
      setNewest(away, peerId, { times, until }, mostRemembered)
    },
    isAway: (peerId, now) => (away.get(peerId)?.until ?? 0) > now
  }
}

/**
 * Whom to send away now: of those whose score is too low the lowest, one at a time, so that what is our own trouble does
 * not send everybody away before it is seen. Never one of the configuration, and only who was probed in this visit: who
 * comes back has another chance.
 */
export const worstPeer = (peers: ReadonlyArray<TrackedPeer>, disconnectBelow: number): PeerId | undefined => {
  let worst: TrackedPeer | undefined
  for (const peer of peers) {
    const isLow = peer.isConnected && !peer.isConfigured && peer.score < disconnectBelow && isProbed(peer)
    if (isLow && peer.score < (worst?.score ?? Infinity)) worst = peer
  }
  return worst?.peerId
}

const isProbed = ({ connectedSince, lastProbeAt }: TrackedPeer): boolean =>
  connectedSince._tag === "Some" && lastProbeAt._tag === "Some" && lastProbeAt.value >= connectedSince.value

const firstMs = Duration.toMillis("1 hour")
const longestMs = Duration.toMillis("1 day")
const mostRemembered = 16_384
