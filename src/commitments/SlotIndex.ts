import { fromHex, type Root, toHex } from "../domain/Bytes.ts"

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
  /** Slots of start..end whose block has columns, ascending. */
  readonly withColumns: (start: number, end: number) => Array<number>
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
  const columns = makeSortedSlots()

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
    if (states[at] === withColumns) columns.remove(slots[at] ?? -1)
    if (state === withColumns) columns.add(slot)
    slots[at] = slot
    states[at] = state
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
    setEmpty: (slot) => set(slot, empty),
    setBlock: (slot, root, parentRoot, hasColumns) => {
      set(slot, hasColumns ? withColumns : withoutColumns)
      roots.set(fromHex(root), (slot % size) * 32)
      parents.set(fromHex(parentRoot), (slot % size) * 32)
    },
    forget: (slot) => {
      if (stateOf(slot) !== 0) set(slot, 0)
    },
    before: (slot) => search(slot - 1, -1, -1),
    after: (slot, limit) => search(slot + 1, 1, limit + 1),
    withColumns: columns.within,
    countKnown: (start, end) => {
      let known = 0
      for (let slot = start; slot <= end; slot++) if (stateOf(slot) !== 0) known++
      return known
    }
  }
}

/** A sorted array: most slots come at its end, and copying a part of it is far faster than looking at every slot. */
const makeSortedSlots = () => {
  const sorted: Array<number> = []
  /** Where the first slot that is not below `slot` is, or would be. */
  const find = (slot: number): number => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] ?? Infinity) < slot) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    add: (slot: number): void => {
      const at = find(slot)
      if (at === sorted.length) sorted.push(slot)
      else if (sorted[at] !== slot) sorted.splice(at, 0, slot)
    },
    remove: (slot: number): void => {
      const at = find(slot)
      if (sorted[at] === slot) sorted.splice(at, 1)
    },
    within: (start: number, end: number): Array<number> => (start > end ? [] : sorted.slice(find(start), find(end + 1)))
  }
}
