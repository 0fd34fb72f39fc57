import { type BlockArrivals, mergeArrivals } from "../../domain/arrival/BlockArrivals.ts"
import { setNewest } from "../../domain/Bounded.ts"

/** Arrivals of the newest 1,024 blocks, in memory. */
export interface MemoryArrivals {
  readonly add: (arrivals: BlockArrivals) => void
  readonly blocks: () => ReadonlyArray<BlockArrivals>
}

export const makeMemoryArrivals = (): MemoryArrivals => {
  const blocks = new Map<string, BlockArrivals>()
  return {
    add: (arrivals) => {
      const key = `${arrivals.slot} ${arrivals.blockRoot}`
      const known = blocks.get(key)
      const columns = mergeArrivals(known?.columns ?? [], arrivals.columns)
      setNewest(blocks, key, { ...arrivals, columns }, mostBlocks)
    },
    blocks: () => [...blocks.values()]
  }
}

const mostBlocks = 1024
