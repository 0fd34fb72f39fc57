import type { Asker } from "./Asker.ts"

/**
 * Bounds what waits for something that may never come: of one peer columns of few blocks, and not too many in all. A node
 * that is well keeps nothing waiting that our beacon node does not have a moment later. What strangers can make up does not
 * take the places of what the proposer has signed, nor of those whose columns were accepted.
 */
export interface Waiting {
  /** A place for one more column of this block; none where there is none. It has to be given back. */
  readonly take: (peer: string, block: string, asker: Asker) => (() => void) | undefined
}

export const makeWaiting = (): Waiting => {
  const peers = new Map<string, Map<string, number>>()
  let all = 0
  /** Of those the ones that are signed by nobody that we know of. */
  let unsigned = 0
  return {
    take: (peer, block, asker) => {
      const blocks = peers.get(peer) ?? new Map<string, number>()
      if (all >= mostColumns || (!blocks.has(block) && blocks.size >= mostBlocksOfPeer)) return undefined
      const isSigned = asker._tag === "Signed"
      if (!isSigned) {
        const own = [...blocks.values()].reduce((sum, count) => sum + count, 0)
        const most = asker.isProven ? mostUnsigned : mostUnproven
        if (unsigned >= most || (unsigned >= most / 2 && own >= fairShare)) return undefined
        unsigned++
      }
      all++
      blocks.set(block, (blocks.get(block) ?? 0) + 1)
      peers.set(peer, blocks)
      return () => {
        all--
        if (!isSigned) unsigned--
        const left = (blocks.get(block) ?? 1) - 1
        if (left > 0) blocks.set(block, left)
        else blocks.delete(block)
        if (blocks.size === 0) peers.delete(peer)
      }
    }
  }
}

/** Two of the present slot, and one that is early or late. */
const mostBlocksOfPeer = 3
/** Each with its message in memory. */
const mostColumns = 448
/** All columns of two blocks: a quarter is kept for those that are signed. */
const mostUnsigned = 320
/** All columns of one block of a first peer, and some of others. */
const mostUnproven = 256
/** Of one peer, once half of the places is taken. */
const fairShare = 16
