import { Schema } from "effect"
import { dropOldest } from "../Bounded.ts"
import type { Outcome } from "../probe/Job.ts"
import { blameOf } from "../probe/Outcome.ts"
import { Slot } from "../Primitives.ts"

/**
 * What a peer failed at and has not delivered since, by slot: what a verdict goes by, whatever the peer claims
 * meanwhile. Of a peer that fails everywhere the newest slots are enough.
 */
export type Failing = ReadonlyMap<Slot, FailingSlot>

interface FailingSlot {
  readonly columns: ReadonlySet<number>
  /** Unix milliseconds of the newest failure. */
  readonly at: number
}

/** The columns of a slot that a peer failed to deliver, whatever it claims now: as a history keeps it. */
export const FailedSlot = Schema.Struct({
  slot: Slot,
  /** Ascending. */
  columns: Schema.Array(Schema.Int),
  /** Unix milliseconds of the newest test of the slot. */
  at: Schema.Number
})
export type FailedSlot = typeof FailedSlot.Type

export const failingOf = (slots: ReadonlyArray<FailedSlot>): Failing =>
  new Map(slots.map(({ at, columns, slot }) => [slot, { at, columns: new Set(columns) }]))

export const noFailing: Failing = new Map()

/** Slots that are remembered, the newest failures of them. */
export const mostFailingSlots = 128

/** `failing` after a probe that ended at `at`; the second is how many combinations were delivered that had failed. */
export const withBlame = (
  failing: Failing,
  outcomes: ReadonlyArray<Outcome>,
  at: number
): { readonly failing: Failing; readonly recovered: number } => {
  const next = new Map(failing)
  let recovered = 0
  let hasChanged = false
  for (const { column, outcome, slot } of outcomes) {
    const known = next.get(slot)
    if (blameOf[outcome] === "peer") {
      // The newest failure goes to the end.
      next.delete(slot)
      next.set(slot, { columns: new Set(known?.columns).add(column), at })
      hasChanged = true
    } else if (outcome === "success" && known?.columns.has(column) === true) {
      const columns = new Set(known.columns)
      columns.delete(column)
      if (columns.size === 0) next.delete(slot)
      else next.set(slot, { ...known, columns })
      recovered++
      hasChanged = true
    }
  }
  if (!hasChanged) return { failing, recovered }
  dropOldest(next, mostFailingSlots)
  return { failing: next, recovered }
}

/** Without what failed before `since`, Unix milliseconds. */
export const failingSince = (failing: Failing, since: number): Failing => {
  const kept = [...failing].filter(([, { at }]) => at >= since)
  return kept.length === failing.size ? failing : new Map(kept)
}

export const countFailing = (failing: Failing): number => {
  let sum = 0
  for (const { columns } of failing.values()) sum += columns.size
  return sum
}
