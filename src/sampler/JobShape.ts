import type { SlotRange } from "../domain/network/Chain.ts"
import {
  countSlots,
  firstSlot,
  lastSlot,
  slotBit,
  slotsFrom,
  slotsWithin,
  tileOf,
  tileStart
} from "../domain/network/Tile.ts"

/** What a job is cut from. */
export interface Ground {
  readonly columnSlots: (tile: number) => number
  /** Slots of the tile at which a column, given by its index, may be asked for. */
  readonly wanted: (tile: number, index: number) => number
  /** The job lies in it. */
  readonly range: SlotRange
  readonly maxCombinations: number
}

/** A rectangle of slots and columns. */
export interface Shape extends SlotRange {
  /** Ascending indices. */
  readonly indices: ReadonlyArray<number>
}

/**
 * The rectangle with the most combinations among those that start at a slot, take columns of these and hold nothing
 * that is not wanted: wide in slots and tall in columns as far as nothing was tested before, and the limits allow.
 */
export const largestShape = (ground: Ground, start: number, indices: ReadonlyArray<number>): Shape => {
  const ends = indices
    .map((index) => ({ index, end: endOfRun(ground, start, index) }))
    .filter(({ end }) => end >= start)
    .sort((a, b) => b.end - a.end || a.index - b.index)
  let best: Shape = { start, end: start, indices: ends.slice(0, 1).map(({ index }) => index) }
  let most = 0
  let end = Infinity
  for (const [place, entry] of ends.entries()) {
    const tall = place + 1
    if (tall > ground.maxCombinations) break
    // Columns that end together are one more row of the same rectangle: only the last of them can be the best.
    end = Math.min(end, entry.end)
    if (ends[tall]?.end === end && tall < ground.maxCombinations) continue
    const wide = cutAfter(ground, { start, end }, Math.floor(ground.maxCombinations / tall))
    if (wide.slots * tall <= most) continue
    most = wide.slots * tall
    best = { start, end: wide.end, indices: ends.slice(0, tall).map(({ index }) => index) }
  }
  return { ...best, indices: best.indices.toSorted((a, b) => a - b) }
}

/** The last slot before the first one with columns that is not wanted. */
const endOfRun = ({ columnSlots, range, wanted }: Ground, start: number, index: number): number => {
  for (let tile = tileOf(start); tile <= tileOf(range.end); tile++) {
    const blocked = columnSlots(tile) & slotsWithin(tile, { start, end: range.end }) & ~wanted(tile, index)
    if (blocked !== 0) return tileStart(tile) + firstSlot(blocked) - 1
  }
  return range.end
}

/** The range up to its `limit`th slot with columns, or to its last. */
const cutAfter = (
  { columnSlots }: Ground,
  range: SlotRange,
  limit: number
): { readonly end: number; readonly slots: number } => {
  let slots = 0
  let end = range.start
  for (let tile = tileOf(range.start); tile <= tileOf(range.end) && slots < limit; tile++) {
    let word = columnSlots(tile) & slotsWithin(tile, range)
    while (slots + countSlots(word) > limit) word &= ~slotBit(lastSlot(word))
    if (word === 0) continue
    slots += countSlots(word)
    end = tileStart(tile) + lastSlot(word)
  }
  return { end, slots }
}

/** The first slot of the tile at or after `from` that any of the columns wants, with those that want it. */
export const anchorIn = (
  ground: Ground,
  tile: number,
  from: number,
  [first, after]: readonly [number, number]
): { readonly start: number; readonly indices: ReadonlyArray<number> } | undefined => {
  const mask = ground.columnSlots(tile) & slotsWithin(tile, ground.range) & slotsFrom(tile, from)
  let union = 0
  for (let index = first; index < after; index++) union |= ground.wanted(tile, index)
  union &= mask
  if (union === 0) return undefined
  const offset = firstSlot(union)
  const indices: Array<number> = []
  for (let index = first; index < after; index++) {
    if ((ground.wanted(tile, index) & (1 << offset)) !== 0) indices.push(index)
  }
  return { start: tileStart(tile) + offset, indices }
}
