import { Option } from "effect"
import { dropOldest } from "../domain/Bounded.ts"
import { type Block, hasColumns, type SlotFacts } from "../domain/network/Block.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { SlotRange } from "../domain/network/Chain.ts"
import type { Checkpoint } from "../domain/peer/Claim.ts"
import { makeBlockStore } from "./BlockStore.ts"
import { slotsWithin, tileOf, tileRange, tileSlots, tilesOf } from "../domain/network/Tile.ts"
import { makeSlotIndex, type SlotIndex } from "./SlotIndex.ts"

/**
 * What is known of the window's slots. All of it is synchronous, so that no one sees half a change; a change that the
 * chain made meanwhile shows in `stamp`.
 */
export interface ChainMemory {
  /** The slots that are remembered: the newest ones up to the head, not before the first slot with columns. */
  readonly window: () => SlotRange
  readonly head: () => number
  /** Slots above the head are forgotten. */
  readonly setHead: (slot: number) => void
  /** The newest finalized checkpoint that the chain told of. */
  readonly finalized: () => Option.Option<Checkpoint>
  readonly setFinalized: (checkpoint: Checkpoint) => void
  /** `undefined` if not known, or known but dropped for want of memory. */
  readonly facts: (slot: number) => SlotFacts | undefined
  readonly root: (slot: number) => Root | undefined
  readonly isKnown: (slot: number) => boolean
  /** The root that the block before `slot`, or at it, must have: the parent of the next one, if that is known. */
  readonly linkAbove: (slot: number) => Root | undefined
  /** Whether every slot of the tile that is in the window is known. */
  readonly isComplete: (tile: number) => boolean
  /** Grows whenever slots of the tile are put in doubt: an answer from before that is worthless. */
  readonly stamp: (tile: number) => number
  /** Forgets the range; gives the tiles in which anything was known. */
  readonly doubt: (range: SlotRange) => ReadonlyArray<number>
  /**
   * Takes the chain's answer for a range. Neighbours that do not link to it are of another chain and put in doubt;
   * their tiles are given.
   */
  readonly store: (range: SlotRange, blocks: ReadonlyArray<Block>) => ReadonlyArray<number>
  /** The slots of a tile (domain/network/Tile) in the window whose block is known to have columns. */
  readonly withColumns: (tile: number) => number
  readonly replacedSince: SlotIndex["replacedSince"]
  readonly countKnown: () => number
  /** The oldest slot of the window that is known, and how many from there on are not. */
  readonly extent: () => { readonly oldest: Option.Option<Slot>; readonly unknown: number }
  readonly orphan: (root: Root) => Option.Option<Block>
}

export interface ChainMemoryOptions {
  /** Slots that are remembered. */
  readonly slots: number
  /** Bytes of whole blocks. */
  readonly maxBytes: number
  /** The first slot with columns; `Infinity` if there is none. */
  readonly firstSlot: number
}

/** Tiles with a stamp, at most: far more than are asked for while a reorg is on. */
const maxStamps = 8192

export const makeChainMemory = (options: ChainMemoryOptions): ChainMemory => {
  const index = makeSlotIndex(options.slots)
  const blocks = makeBlockStore(options.maxBytes)
  const stamps = new Map<number, number>()
  let lastStamp = 0
  let head = -1
  let finalized = Option.none<Checkpoint>()

  const window = (): SlotRange => ({ start: Math.max(options.firstSlot, head - options.slots + 1, 0), end: head })
  const clip = (range: SlotRange): SlotRange => {
    const { end, start } = window()
    return { start: Math.max(range.start, start), end: Math.min(range.end, end) }
  }
  const doubt = (range: SlotRange): ReadonlyArray<number> => {
    const { end, start } = clip(range)
    const touched = new Set<number>()
    for (let slot = start; slot <= end; slot++) {
      if (index.has(slot)) touched.add(tileOf(slot))
      index.forget(slot)
      blocks.doubt(slot)
    }
    for (const tile of tilesOf({ start, end })) {
      stamps.delete(tile)
      stamps.set(tile, ++lastStamp)
    }
    dropOldest(stamps, maxStamps)
    return [...touched]
  }

  const put = (slot: number, block: Block | undefined): void => {
    blocks.put(slot, block)
    if (block === undefined) index.setEmpty(slot)
    else if (block.payload === "unknown") index.forget(slot)
    else index.setBlock(slot, block.root, block.parentRoot, hasColumns(block))
  }

  const mismatched = (range: SlotRange, answer: ReadonlyArray<Block>): ReadonlyArray<number> => {
    const before = index.before(range.start)
    const after = index.after(range.end, head)
    const first = answer[0] ?? after
    const last = answer.at(-1) ?? before
    const tiles: Array<number> = []
    if (before !== undefined && first !== undefined && first.parentRoot !== before.root) {
      tiles.push(...doubt({ start: before.slot - tileSlots, end: range.start - 1 }))
    }
    if (after !== undefined && last !== undefined && after.parentRoot !== last.root) {
      tiles.push(...doubt({ start: range.end + 1, end: after.slot + tileSlots }))
    }
    return tiles
  }

  return {
    window,
    head: () => head,
    setHead: (slot) => {
      if (slot < head) doubt({ start: slot + 1, end: head })
      head = slot
    },
    finalized: () => finalized,
    setFinalized: (checkpoint) => {
      // A node that was restarted may tell of an older one again: what was final is final.
      if (Option.exists(finalized, ({ epoch }) => epoch > checkpoint.epoch)) return
      finalized = Option.some(checkpoint)
    },
    facts: (slot) => {
      if (!index.has(slot)) return undefined
      if (index.root(slot) === undefined) return { _tag: "Empty", slot }
      const block = blocks.get(slot)
      return block === undefined ? undefined : { _tag: "Block", block }
    },
    root: index.root,
    isKnown: index.has,
    linkAbove: (slot) => index.after(slot, head)?.parentRoot,
    isComplete: (tile) => {
      const { end, start } = clip(tileRange(tile))
      return index.countKnown(start, end) === Math.max(0, end - start + 1)
    },
    stamp: (tile) => stamps.get(tile) ?? 0,
    doubt,
    store: (asked, answer) => {
      const range = clip(asked)
      if (range.start > range.end) return []
      const bySlot = new Map(answer.map((block) => [block.slot, block]))
      for (let slot = range.start; slot <= range.end; slot++) put(slot, bySlot.get(slot))
      return mismatched(
        range,
        answer.filter((block) => block.slot >= range.start && block.slot <= range.end)
      )
    },
    withColumns: (tile) => index.withColumns(tile) & slotsWithin(tile, window()),
    replacedSince: index.replacedSince,
    countKnown: () => {
      const { end, start } = window()
      return index.countKnown(start, end)
    },
    extent: () => {
      const { end, start } = window()
      let oldest = start
      while (oldest <= end && !index.has(oldest)) oldest++
      return oldest > end
        ? { oldest: Option.none(), unknown: Math.max(0, end - start + 1) }
        : { oldest: Option.some(oldest), unknown: end - oldest + 1 - index.countKnown(oldest, end) }
    },
    orphan: blocks.orphan
  }
}
