/**
 * Bounds what waits for something that may never come: of one peer columns of few blocks, and not too many in all. A node
 * that is well keeps nothing waiting that our beacon node does not have a moment later.
 */
export interface Waiting {
  /** A place for one more column of this block; none where there is none. It has to be given back. */
  readonly take: (peer: string, block: string) => (() => void) | undefined
}

export const makeWaiting = (): Waiting => {
  const peers = new Map<string, Map<string, number>>()
  let all = 0
  return {
    take: (peer, block) => {
      const blocks = peers.get(peer) ?? new Map<string, number>()
      if (all >= mostColumns || (!blocks.has(block) && blocks.size >= mostBlocksOfPeer)) return undefined
      all++
      blocks.set(block, (blocks.get(block) ?? 0) + 1)
      peers.set(peer, blocks)
      return () => {
        all--
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
