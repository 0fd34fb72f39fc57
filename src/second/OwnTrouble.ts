import { setNewest } from "../domain/Bounded.ts"
import type { ClientFamily } from "../domain/peer/ClientFamily.ts"
import type { PeerId } from "../domain/Primitives.ts"

/**
 * Whether peers that have nothing to do with each other answer our two identities differently together: then it is
 * likelier the second one's trouble (a firewall, a proxy, a ban of its address) than that they all lie. Mutable; one
 * owner.
 */
export interface OwnTrouble {
  readonly hear: (look: {
    readonly peerId: PeerId
    readonly family: ClientFamily
    readonly disagrees: boolean
    /** Unix milliseconds. */
    readonly at: number
  }) => void
  /** A sentence that says what is seen at this moment, if it is too much. */
  readonly look: (now: number) => string | undefined
}

/** Peers that disagree, below which nothing is concluded. */
const leastPeers = 3
const mostPeers = 16_384

/** More than half of the peers that were compared in the window, three at least and of two client families or more. */
export const makeOwnTrouble = (windowMs: number): OwnTrouble => {
  const heard = new Map<PeerId, { readonly family: ClientFamily; readonly disagrees: boolean; readonly at: number }>()
  return {
    hear: ({ peerId, ...look }) => setNewest(heard, peerId, look, mostPeers),
    look: (now) => {
      const recent = [...heard.values()].filter(({ at }) => now - at <= windowMs)
      const disagreeing = recent.filter(({ disagrees }) => disagrees)
      const families = new Set(disagreeing.map(({ family }) => family).filter((family) => family !== "unknown"))
      const isTooMuch = disagreeing.length >= leastPeers && disagreeing.length * 2 > recent.length && families.size >= 2
      return isTooMuch
        ? `${disagreeing.length} of ${recent.length} peers of ${families.size} kinds of client answer our two identities ` +
            "differently: that is likelier the second identity's own trouble than theirs, and no peer is named for it; " +
            "check what its connections go through, or set identities: 1"
        : undefined
    }
  }
}
