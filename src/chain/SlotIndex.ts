import type { SlotRoot } from "../domain/network/Block.ts"
import { fromHex, toHex } from "../domain/Bytes.ts"
import type { Root } from "../domain/Primitives.ts"
import { slotBit, tileOf, tileSlots } from "../domain/network/Tile.ts"

/** What is remembered of a slot for as long as it is in the window, in less than 80 bytes. */
export interface SlotIndex {
  readonly has: (slot: number) => boolean
  /** The root of the slot's block; `undefined` if the slot is empty or unknown. */
  readonly root: (slot: number) => Root | undefined
  readonly setEmpty: (slot: number) => void
  readonly setBlock: (slot: number, root: Root, parentRoot: Root, hasColumns: boolean) => void
  readonly forget: (slot: number) => void
  /** The nearest known block before `slot` if all slots between are known to be empty. */
  readonly before: (slot: number) => LinkedBlock | undefined
  /** The same, after `slot` and up to `limit`. */
  readonly after: (slot: number, limit: number) => LinkedBlock | undefined
  /** The slots of a tile (domain/network/Tile) whose block is known to have columns. */
  readonly withColumns: (tile: number) => number
  /** Blocks that were at a slot before another one, or none, was found to be there: all but the first `seen` of them. */
  readonly replacedSince: (seen: number) => { readonly seen: number; readonly blocks: ReadonlyArray<SlotRoot> }
  readonly countKnown: (start: number, end: number) => number
}

interface LinkedBlock {
  readonly slot: number
  readonly root: Root
  readonly parentRoot: Root
}

const empty = 1
const withoutColumns = 2
const withColumns = 3

/** A ring over the newest `size` slots: writing a slot forgets the one `size` before it. */
export const makeSlotIndex = (size: number): SlotIndex => {
  const slots = new Int32Array(size).fill(-1)
  const states = new Uint8Array(size)
  const roots = new Uint8Array(size * 32)
  const parents = new Uint8Array(size * 32)
  /** Whether the block in `roots` was ever the slot's: it stays there while the slot is in doubt. */
  const rooted = new Uint8Array(size)
  const columns = makeTiles(Math.ceil(size / tileSlots) + 1)
  const replaced: Array<SlotRoot> = []
  let dropped = 0

  const stateOf = (slot: number): number => {
    const at = slot % size
    return slots[at] === slot ? (states[at] ?? 0) : 0
  }
  const read = (from: Uint8Array, slot: number): Root => {
    const at = (slot % size) * 32
    return toHex(from.subarray(at, at + 32))
  }
  const set = (slot: number, state: number): void => {
    const at = slot % size
    if (slots[at] !== slot) rooted[at] = 0
    if (state === withColumns) columns.add(slot)
    else columns.remove(slot)
    slots[at] = slot
    states[at] = state
  }
  /** Another block than `root`, or none, is at the slot. */
  const replace = (slot: number, root: Root | undefined): void => {
    const at = slot % size
    if (slots[at] !== slot || rooted[at] !== 1) return
    const before = read(roots, slot)
    if (before === root) return
    rooted[at] = 0
    replaced.push({ slot, root: before })
    if (replaced.length > keptReplaced) dropped += replaced.splice(0, keptReplaced / 2).length
  }
  const linked = (slot: number): LinkedBlock => ({ slot, root: read(roots, slot), parentRoot: read(parents, slot) })
  const search = (start: number, step: 1 | -1, limit: number): LinkedBlock | undefined => {
    for (let slot = start, left = size; slot !== limit && left > 0; slot += step, left--) {
      const state = slot < 0 ? 0 : stateOf(slot)
      if (state >= withoutColumns) return linked(slot)
      if (state !== empty) return undefined
    }
    return undefined
  }

  return {
    has: (slot) => stateOf(slot) !== 0,
    root: (slot) => (stateOf(slot) >= withoutColumns ? read(roots, slot) : undefined),
    setEmpty: (slot) => {
      replace(slot, undefined)
      set(slot, empty)
    },
    setBlock: (slot, root, parentRoot, hasColumns) => {
      replace(slot, root)
      set(slot, hasColumns ? withColumns : withoutColumns)
      roots.set(fromHex(root), (slot % size) * 32)
      parents.set(fromHex(parentRoot), (slot % size) * 32)
      rooted[slot % size] = 1
    },
    forget: (slot) => {
      if (stateOf(slot) !== 0) set(slot, 0)
    },
    before: (slot) => search(slot - 1, -1, -1),
    after: (slot, limit) => search(slot + 1, 1, limit + 1),
    withColumns: columns.word,
    replacedSince: (seen) => ({ seen: dropped + replaced.length, blocks: replaced.slice(Math.max(0, seen - dropped)) }),
    countKnown: (start, end) => {
      let known = 0
      for (let slot = start; slot <= end; slot++) if (stateOf(slot) !== 0) known++
      return known
    }
  }
}

/** Reorgs of more slots than that, between two looks, are not all told of. */
const keptReplaced = 65_536

/** A ring of words over the newest `size` tiles. */
const makeTiles = (size: number) => {
  const tiles = new Int32Array(size).fill(-1)
  const words = new Int32Array(size)
  return {
    add: (slot: number): void => {
      const tile = tileOf(slot)
      const at = tile % size
      words[at] = (tiles[at] === tile ? (words[at] ?? 0) : 0) | slotBit(slot)
      tiles[at] = tile
    },
    remove: (slot: number): void => {
      const at = tileOf(slot) % size
      if (tiles[at] === tileOf(slot)) words[at] = (words[at] ?? 0) & ~slotBit(slot)
    },
    word: (tile: number): number => (tiles[tile % size] === tile ? (words[tile % size] ?? 0) : 0)
  }
}
