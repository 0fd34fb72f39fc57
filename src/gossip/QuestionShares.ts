import { type Bucket, makeBucket, makeBuckets } from "../domain/Bucket.ts"
import type { PeerId } from "../domain/Primitives.ts"
import type { Asker } from "./Asker.ts"

/** Whether one more question to the beacon node may be asked; then it counts. `now`: milliseconds. */
export type QuestionShares = (asker: Asker | "us", now: number) => boolean

/**
 * How the few questions to the beacon node are shared, so that nobody uses up those of others. What we ask in any case,
 * about the epochs around the present, has its own; so have blocks that whoever is to propose has signed, a few for each
 * proposer. Of the rest each peer has a share, and half is for those whose columns were accepted.
 */
export const makeQuestionShares = (slotMs: number): QuestionShares => {
  const aSlot = (questions: number) => (questions * 1000) / slotMs
  const own = makeBucket({ burst: 4, perSecond: Math.max(0.5, aSlot(1)) })
  const signed = makeBucket({ burst: 12, perSecond: aSlot(4) })
  const ofProposer = makeBuckets<number>({ burst: 8, perSecond: aSlot(1) }, mostProposers)
  const others = makeBucket({ burst: 2 * mostUnproven, perSecond: aSlot(2) })
  const ofPeer = makeBuckets<PeerId>({ burst: 3, perSecond: aSlot(0.5) }, mostPeers)

  return (asker, now) => {
    if (asker === "us") return takeOfAll([own], now)
    if (asker._tag === "Signed") return takeOfAll([ofProposer(asker.proposerIndex), signed], now)
    if (!asker.isProven && others.room(now) < 1 + mostUnproven) return false
    return takeOfAll([ofPeer(asker.peer), others], now)
  }
}

const takeOfAll = (buckets: ReadonlyArray<Bucket>, now: number): boolean => {
  if (buckets.some((bucket) => bucket.room(now) < 1)) return false
  for (const bucket of buckets) bucket.take(1, now)
  return true
}

const mostUnproven = 4
const mostProposers = 256
/** More than are ever connected. */
const mostPeers = 4096
