import type { SlotRange } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"

/**
 * Cuts a range into as many parts as slots are wanted, of one length but for rounding: one slot of each is asked for,
 * drawn at random, so that a node which keeps too little of the past gives itself away in every scan.
 */
export const partsOf = ({ end, start }: SlotRange, count: number): ReadonlyArray<SlotRange> => {
  const length = end - start + 1
  const parts = Math.max(0, Math.min(count, length))
  return Array.from({ length: parts }, (_, index) => ({
    start: start + Math.floor((index * length) / parts),
    end: start + Math.floor(((index + 1) * length) / parts) - 1
  }))
}

/**
 * Up to `most` different slots of a range in a random order. `random`: uniform in [0, 1).
 */
export const drawSlots = ({ end, start }: SlotRange, most: number, random: () => number): ReadonlyArray<Slot> => {
  const length = Math.max(0, end - start + 1)
  /** A shuffle (Fisher and Yates) of which only what was moved is kept. */
  const moved = new Map<number, number>()
  return Array.from({ length: Math.min(most, length) }, (_, index) => {
    const place = index + Math.floor(random() * (length - index))
    const drawn = moved.get(place) ?? place
    moved.set(place, moved.get(index) ?? index)
    return start + drawn
  })
}
