import { Schema } from "effect"
import type { SlotRange } from "../domain/network/Chain.ts"
import { whole } from "./Values.ts"

const farthest = 2 ** 40

const Slot = whole(
  -farthest,
  farthest,
  "a slot: a whole number, above 0 as it is, else counted from the head like -8192"
)

/**
 * The slots that are sampled, both ends included. A number above 0 is a slot; 0 is the head, and a negative number is so
 * many slots before it. An absent start is genesis, an absent end is the head.
 */
export const BlockFilter = Schema.Struct({
  startSlot: Schema.optionalWith(Slot, { exact: true }),
  endSlot: Schema.optionalWith(Slot, { exact: true })
}).pipe(
  Schema.filter(({ endSlot, startSlot }) =>
    startSlot !== undefined && endSlot !== undefined && startSlot > 0 === endSlot > 0 && startSlot > endSlot
      ? { path: ["startSlot"], message: `slot ${startSlot} is after the end, slot ${endSlot}` }
      : undefined
  )
)
export type BlockFilter = typeof BlockFilter.Type

/** The slots that pass the filter when the head is at `headSlot`; never below 0. */
export const blockFilterRange = (filter: BlockFilter, headSlot: number): SlotRange => ({
  start: filter.startSlot === undefined ? 0 : absolute(filter.startSlot, headSlot),
  end: filter.endSlot === undefined ? headSlot : absolute(filter.endSlot, headSlot)
})

const absolute = (slot: number, headSlot: number): number => (slot > 0 ? slot : Math.max(headSlot + slot, 0))
