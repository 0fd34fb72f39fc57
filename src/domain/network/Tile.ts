import type { SlotRange } from "./Chain.ts"
import type { Slot } from "../Primitives.ts"

/**
 * Sets of slots as 32-bit words: tile n is the slots from 32 n on, and bit i of its word is slot 32 n + i. Words are
 * signed, as the bit operators make them.
 */
export const tileSlots = 32

export const tileOf = (slot: Slot): number => Math.floor(slot / tileSlots)

export const tileStart = (tile: number): Slot => tile * tileSlots

/** Its 32 slots. */
export const tileRange = (tile: number): SlotRange => ({ start: tileStart(tile), end: tileStart(tile + 1) - 1 })

/** The tiles that a range touches, ascending. */
export const tilesOf = ({ end, start }: SlotRange): ReadonlyArray<number> =>
  start > end ? [] : Array.from({ length: tileOf(end) - tileOf(start) + 1 }, (_, index) => tileOf(start) + index)

/** The word of one slot. */
export const slotBit = (slot: Slot): number => 1 << (slot & 31)

/** The slots of the tile that are `slot` or later. */
export const slotsFrom = (tile: number, slot: Slot): number => {
  const offset = slot - tileStart(tile)
  return offset <= 0 ? -1 : offset >= tileSlots ? 0 : -1 << offset
}

/** The slots of the tile that are in the range. */
export const slotsWithin = (tile: number, { end, start }: SlotRange): number =>
  slotsFrom(tile, start) & ~slotsFrom(tile, end + 1)

/** How many slots are in the word. */
export const countSlots = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Where in the tile the first slot of the word is; 32 for an empty word. */
export const firstSlot = (word: number): number => (word === 0 ? tileSlots : 31 - Math.clz32(word & -word))

/** Where in the tile the last slot of the word is; -1 for an empty word. */
export const lastSlot = (word: number): number => 31 - Math.clz32(word)
