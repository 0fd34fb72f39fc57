import type { ArrivedColumn, FirstSender } from "../domain/arrival/BlockArrivals.ts"
import { dropOldest } from "../domain/Bounded.ts"
import type { Root, Slot } from "../domain/Primitives.ts"

/** A block of which a column came, until it is written. */
export interface PendingBlock {
  readonly slot: Slot
  readonly root: Root
  readonly blobs: number
  readonly columns: Map<number, Arrived>
}

interface Arrived {
  readonly ms: number
  readonly peer: FirstSender
  duplicates: number
}

/** What is known of a column that comes the first time. */
interface FirstArrival {
  readonly slot: Slot
  readonly root: Root
  readonly blobs: number
  readonly column: number
  readonly ms: number
  readonly peer: FirstSender
}

/** Arrivals that are not written yet, bounded whatever comes. */
export interface PendingBlocks {
  /** Whether it is the first of its column; another counts as a copy. */
  readonly arrive: (arrival: FirstArrival) => boolean
  /** One more copy, also of a column that is not accepted yet. */
  readonly again: (root: Root, column: number) => void
  /** Takes out the blocks of slots up to `slot`, the oldest first. */
  readonly takeUpTo: (slot: Slot) => ReadonlyArray<PendingBlock>
  /** Puts back what was taken out and could not be written, beside what has come meanwhile. */
  readonly putBack: (block: PendingBlock) => void
  /** Blocks that had to be let go since there were too many; told once. */
  readonly takeLost: () => number
}

export const makePendingBlocks = (): PendingBlocks => {
  const blocks = new Map<Root, PendingBlock>()
  /** Copies of what is not accepted, by root and column. */
  const early = new Map<string, number>()
  let lost = 0

  const keep = (block: PendingBlock): void => {
    blocks.set(block.root, block)
    if (blocks.size > mostBlocks) lost += blocks.size - mostBlocks
    dropOldest(blocks, mostBlocks)
  }

  return {
    arrive: ({ blobs, column, ms, peer, root, slot }) => {
      const block = blocks.get(root) ?? { slot, root, blobs, columns: new Map<number, Arrived>() }
      if (!blocks.has(root)) keep(block)
      const known = block.columns.get(column)
      if (known !== undefined) {
        known.duplicates++
        return false
      }
      const key = `${root} ${column}`
      block.columns.set(column, { ms, peer, duplicates: early.get(key) ?? 0 })
      early.delete(key)
      return true
    },
    again: (root, column) => {
      const known = blocks.get(root)?.columns.get(column)
      if (known !== undefined) {
        known.duplicates++
        return
      }
      const key = `${root} ${column}`
      early.set(key, (early.get(key) ?? 0) + 1)
      dropOldest(early, mostEarly)
    },
    takeUpTo: (slot) => {
      const taken = [...blocks.values()].filter((block) => block.slot <= slot).sort((a, b) => a.slot - b.slot)
      for (const { root } of taken) blocks.delete(root)
      return taken
    },
    putBack: (block) => {
      const meanwhile = blocks.get(block.root)
      for (const [column, arrived] of meanwhile?.columns ?? []) {
        const known = block.columns.get(column)
        if (known === undefined) block.columns.set(column, arrived)
        else known.duplicates += arrived.duplicates + 1
      }
      keep(block)
    },
    takeLost: () => {
      const count = lost
      lost = 0
      return count
    }
  }
}

/** The columns of a block as they are written, with those that were expected and did not come. */
export const columnsOf = (
  block: PendingBlock | undefined,
  expected: ReadonlySet<number>
): ReadonlyArray<ArrivedColumn<FirstSender>> =>
  [...new Set([...expected, ...(block?.columns.keys() ?? [])])]
    .sort((a, b) => a - b)
    .map((column) => ({
      column,
      isSubscribed: expected.has(column),
      arrival: block?.columns.get(column) ?? null
    }))

/** Half a day of blocks, some 20 KiB each with all columns: they wait so long only where nothing can be written. */
const mostBlocks = 4096
/** Of blocks that strangers may have made up. */
const mostEarly = 4096
