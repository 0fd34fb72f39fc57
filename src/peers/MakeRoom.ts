import { makeBucket } from "../domain/Bucket.ts"

/** What decides whether a tracked peer may have to make room for another. */
export interface Tracked {
  readonly peerId: string
  /** Of the configuration: it stays whatever happens. */
  readonly isConfigured: boolean
  readonly isConnected: boolean
  /** Whether there is an address to dial. */
  readonly isDialable: boolean
  /** Whether it has said what it claims. */
  readonly hasAnswered: boolean
  /** Whether anything is known of it that a newcomer has not: what it delivered, or is blamed for, or suspected of. */
  readonly isProven: boolean
  /** Unix milliseconds since which it is tracked. */
  readonly since: number
}

export interface RoomLimits {
  /** Peers known at once, at most; those of the configuration are not turned away. */
  readonly maxPeers: number
  readonly now: number
}

/** Whether one more has room, and who has to go for it. */
export interface Room {
  readonly hasRoom: boolean
  readonly goes: string | undefined
}

/**
 * Strangers that come, say hello and leave must neither fill the place nor keep it from those that stay: of peers of
 * whom nothing is known, that have left and cannot be dialled, few are waited for; and when all places are taken, one of
 * these goes, or else one that has been there for a while and never answered, or is away and never delivered. `tracked` is in the order in which they
 * came.
 */
export const roomFor = (tracked: Iterable<Tracked>, { maxPeers, now }: RoomLimits): Room => {
  let count = 0
  let gone = 0
  let firstGone: string | undefined
  let firstUseless: string | undefined
  for (const peer of tracked) {
    count++
    if (peer.isConfigured || peer.isProven || peer.isConnected || peer.isDialable) {
      if (firstUseless === undefined && isUseless(peer, now)) firstUseless = peer.peerId
    } else {
      gone++
      firstGone ??= peer.peerId
    }
  }
  if (gone >= mostGone) return { hasRoom: true, goes: firstGone }
  if (count < maxPeers) return { hasRoom: true, goes: undefined }
  const goes = firstGone ?? firstUseless
  return { hasRoom: goes !== undefined, goes }
}

const isUseless = ({ hasAnswered, isConfigured, isConnected, isProven, since }: Tracked, now: number): boolean => {
  if (isConfigured || isProven) return false
  return now - since >= (hasAnswered ? (isConnected ? Infinity : answeredOnceMs) : patienceMs)
}

/** Longer than a dial and a handshake take. */
const patienceMs = 60_000
/** One that has said what it claims, has delivered nothing in so long, and is away. */
const answeredOnceMs = 3_600_000
/** Peers that left, and of whom nothing is known, are waited for, so many. */
const mostGone = 256

/**
 * How many strangers are taken up: many at once, as when a node has just begun to listen, and then one a second. Those
 * that are passed over and stay are taken up later.
 */
export const makeStrangerBudget = () => {
  const allowance = makeBucket({ burst: mostAtOnce, perSecond })
  return {
    take: (now: number): boolean => {
      if (allowance.room(now) < 1) return false
      allowance.take(1, now)
      return true
    }
  }
}

const mostAtOnce = 512
const perSecond = 1
