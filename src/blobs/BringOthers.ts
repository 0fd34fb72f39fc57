import { Duration, Effect, Option } from "effect"
import type { PeerId, Slot } from "../domain/Primitives.ts"
import type { TrackedPeer } from "../peers/Peers.ts"
import { PeerSet } from "../peers/set/PeerSet.ts"

/** Has peers dialled for the columns of one block, within bounds. Times are Unix milliseconds. */
export interface BringOthers {
  /** Calls for others who owe any of these columns, unless it did so just now. */
  readonly bring: (
    lacking: ReadonlyArray<number>,
    tracked: ReadonlyArray<TrackedPeer>,
    now: number
  ) => Effect.Effect<void>
  /** Whether someone who was dialled for this may still come, and say what it claims. */
  readonly areComing: (tracked: ReadonlyArray<TrackedPeer>, now: number) => boolean
  /** Whether there are more who owe some of it, and were not dialled. */
  readonly areMore: () => boolean
}

export const makeBringOthers = Effect.fnUntraced(function* (slot: Slot): Effect.fn.Return<BringOthers, never, PeerSet> {
  const peerSet = yield* PeerSet
  /** Peers that were dialled for this, and since when. */
  const brought = new Map<PeerId, number>()
  let areMore = false
  let calledAt = -Infinity

  const areComing: BringOthers["areComing"] = (tracked, now) =>
    tracked.some(({ claim, failedVisits, isConnected, notDialled, peerId }) => {
      const since = brought.get(peerId)
      if (since === undefined || now - since >= dialLimitMs) return false
      return isConnected ? Option.isNone(claim) : failedVisits + notDialled === 0 || now - since < redialMs
    })

  const bring: BringOthers["bring"] = Effect.fnUntraced(function* (lacking, tracked, now) {
    if (lacking.length === 0 || now - calledAt < (areComing(tracked, now) ? callEveryMs : leastCallMs)) return
    calledAt = now
    const most = Math.min(mostAtOnce, mostBrought - brought.size)
    if (most <= 0) return
    const called = yield* Effect.timeoutOption(peerSet.bring({ slot, columns: lacking, most }), callLimit)
    areMore = Option.match(called, { onNone: () => true, onSome: ({ areMore }) => areMore })
    for (const { dialled } of Option.toArray(called)) for (const peerId of dialled) brought.set(peerId, now)
  })

  return { bring, areComing, areMore: () => areMore }
})

/** Peers that are dialled for one block: at once, and altogether. */
const mostAtOnce = 16
const mostBrought = 48
/** Between two calls for others: while some may still come, and where all have come to nothing. */
const callEveryMs = 3_000
const leastCallMs = 500
/** A look at the peer set may be under way. */
const callLimit = Duration.seconds(5)
/** A dial, a handshake and the peer's claim take no longer; one that failed before is dialled again within the second. */
const dialLimitMs = 12_000
const redialMs = 3_000
