import type { Slot } from "../Primitives.ts"
import { clearColumn, emptyMask, hasColumn, setColumn } from "./ColumnMask.ts"

/** A set of columns of slots, which its one owner changes. Columns are those that there are: 0 to 127. */
export interface Combinations {
  readonly size: () => number
  readonly has: (slot: Slot, column: number) => boolean
  /** Whether anything of the slot is in it. */
  readonly hasSlot: (slot: Slot) => boolean
  /** Whether it was not in it before. */
  readonly add: (slot: Slot, column: number) => boolean
  /** Whether it was in it. */
  readonly remove: (slot: Slot, column: number) => boolean
}

export const makeCombinations = (): Combinations => {
  const masks = new Map<Slot, { readonly columns: Uint8Array; count: number }>()
  let size = 0
  return {
    size: () => size,
    has: (slot, column) => {
      const mask = masks.get(slot)
      return mask !== undefined && hasColumn(mask.columns, 0, column)
    },
    hasSlot: (slot) => masks.has(slot),
    add: (slot, column) => {
      let mask = masks.get(slot)
      if (mask === undefined) masks.set(slot, (mask = { columns: emptyMask(), count: 0 }))
      if (hasColumn(mask.columns, 0, column)) return false
      setColumn(mask.columns, 0, column)
      mask.count++
      size++
      return true
    },
    remove: (slot, column) => {
      const mask = masks.get(slot)
      if (mask === undefined || !hasColumn(mask.columns, 0, column)) return false
      clearColumn(mask.columns, 0, column)
      if (--mask.count === 0) masks.delete(slot)
      size--
      return true
    }
  }
}
