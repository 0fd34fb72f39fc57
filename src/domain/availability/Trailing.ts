import { Schema } from "effect"
import type { AvailabilityVerdict } from "./SlotVerdict.ts"

/** Slots by which a fork choice may follow behind what it knows to be available. */
export const followDistances = [0, 1, 2, 4] as const

/**
 * Moments of a slot by which a verdict may have to be there: its start, when attestations are due (a third of it), when
 * aggregates are (two thirds), and its end.
 */
export const SlotDeadline = Schema.Literal("start", "attestation", "aggregate", "end")
export type SlotDeadline = typeof SlotDeadline.Type

const shareOfSlot: Readonly<Record<SlotDeadline, number>> = { start: 0, attestation: 1 / 3, aggregate: 2 / 3, end: 1 }

/** How many blocks were decided, one way or the other, by one deadline. */
export const TrailingShare = Schema.Struct({
  /** Slots after the block's own. */
  distance: Schema.Int,
  deadline: SlotDeadline,
  /** Milliseconds from the start of the block's slot. */
  withinMs: Schema.Number,
  decided: Schema.Int,
  /** Of all blocks that were sampled; `null` while there are none. */
  share: Schema.NullOr(Schema.Number),
  /** Blocks that are decided by this deadline and not when attestations are due in the same slot, or fewer (negative). */
  changed: Schema.Int
}).annotations({ identifier: "TrailingShare" })
export type TrailingShare = typeof TrailingShare.Type

/** A verdict, as far as its time goes. */
export interface Timed {
  readonly verdict: AvailabilityVerdict
  readonly decidedAfterMs: number
}

/** Whether a verdict was there, and one, `withinMs` after the start of its slot. */
export const isInTime = ({ decidedAfterMs, verdict }: Timed, withinMs: number): boolean =>
  verdict !== "undetermined" && decidedAfterMs <= withinMs

/** Milliseconds from the start of a block's slot to a deadline of the slot `distance` after it. */
export const trailingDeadline = (slotDurationMs: number, distance: number, deadline: SlotDeadline): number =>
  (distance + shareOfSlot[deadline]) * slotDurationMs

/** For every follow distance and deadline, how many of the blocks were decided in time. The start of the own slot is left out. */
export const trailingShares = (blocks: ReadonlyArray<Timed>, slotDurationMs: number): ReadonlyArray<TrailingShare> => {
  const countWithin = (withinMs: number): number => blocks.filter((block) => isInTime(block, withinMs)).length
  return followDistances.flatMap((distance) => {
    const usual = countWithin(trailingDeadline(slotDurationMs, distance, "attestation"))
    return SlotDeadline.literals.flatMap((deadline): ReadonlyArray<TrailingShare> => {
      if (distance === 0 && deadline === "start") return []
      const withinMs = trailingDeadline(slotDurationMs, distance, deadline)
      const decided = countWithin(withinMs)
      return [
        {
          distance,
          deadline,
          withinMs,
          decided,
          share: blocks.length === 0 ? null : decided / blocks.length,
          changed: decided - usual
        }
      ]
    })
  })
}
