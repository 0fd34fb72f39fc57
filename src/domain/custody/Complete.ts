import type { SlotRange } from "../network/Chain.ts"
import type { Slot } from "../Primitives.ts"

/**
 * The slots, without one between them left out, of whose canonical blocks every column that a node owes is in its store:
 * `start` is its earliest available slot (fulu/p2p-interface.md, "Status v2"). Empty (`start` = `end` + 1) while there is
 * none; then the start is where the next one would be.
 */
export type Complete = SlotRange

/**
 * What is known of a slot: everything that is owed is there (or nothing is owed), or some of it is not, or the chain does
 * not tell what is owed.
 */
export type SlotState = "complete" | "lacking" | "unknown"

/** Nothing up to the head. */
export const nothingUpTo = (head: Slot): Complete => ({ start: head + 1, end: head })

/**
 * Goes on from the end as far as `head`. A slot that lacks something is waited for while it is younger than `patience`
 * slots, since columns come a while after their block; then it is a gap, and what is complete begins anew behind it.
 */
export const extendUp = (
  complete: Complete,
  stateOf: (slot: Slot) => SlotState,
  { head, patience }: { readonly head: Slot; readonly patience: number }
): Complete => {
  let { end, start } = complete
  while (end < head) {
    const next = end + 1
    if (stateOf(next) === "complete") end = next
    else if (next > head - patience) break
    else {
      start = next + 1
      end = next
    }
  }
  return { start, end }
}

/** Goes on from the start, down to `lowest` at most. */
export const extendDown = (complete: Complete, stateOf: (slot: Slot) => SlotState, lowest: Slot): Complete => {
  let { start } = complete
  while (start > lowest && stateOf(start - 1) === "complete") start--
  return { start, end: complete.end }
}

/** Another block may be canonical at `slot`: it, and what comes after it, has to be looked at again. */
export const cutAt = ({ end, start }: Complete, slot: Slot): Complete =>
  slot < start || slot > end ? { start, end } : { start, end: slot - 1 }

/** Slots before `lowest` are not kept any longer. */
export const raiseTo = ({ end, start }: Complete, lowest: Slot): Complete => ({
  start: Math.max(start, lowest),
  end: Math.max(end, Math.max(start, lowest) - 1)
})
