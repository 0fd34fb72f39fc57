import { setNewest } from "../domain/Bounded.ts"
import type { PeerId } from "../domain/Primitives.ts"

/**
 * Whose messages were accepted before, which strangers' are not: where there is not enough for all, they come first. Whoever
 * has us wait in vain begins anew.
 */
export interface Standing {
  readonly accepted: (peer: PeerId) => void
  readonly inVain: (peer: PeerId) => void
  readonly isProven: (peer: PeerId) => boolean
}

export const makeStanding = (): Standing => {
  /** How much was accepted, up to a bound. */
  const good = new Map<PeerId, number>()
  return {
    accepted: (peer) => setNewest(good, peer, Math.min(mostGood, (good.get(peer) ?? 0) + 1), mostPeers),
    inVain: (peer) => {
      const left = (good.get(peer) ?? 0) - vainCost
      if (left > 0) good.set(peer, left)
      else good.delete(peer)
    },
    isProven: (peer) => good.has(peer)
  }
}

/** Some blocks' columns: one moment at which our beacon node is late costs nobody its place, and a wave of columns does. */
const mostGood = 32
const vainCost = 4
/** More than are ever connected. */
const mostPeers = 4096
