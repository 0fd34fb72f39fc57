import { coverWith, settles, type SlotCoverage, untested } from "../domain/Coverage.ts"
import type { OutcomeKind } from "../domain/Outcome.ts"

/** What was tested of one peer, by slot; a slot without an entry is untested. */
export type Coverage = Map<number, SlotCoverage>

/** A set of columns as a bitmap. */
export const bitmapOf = (columns: Iterable<number>): bigint => {
  let bits = 0n
  for (const column of columns) bits |= 1n << BigInt(column)
  return bits
}

/** Adds one outcome. */
export const cover = (coverage: Coverage, slot: number, column: number, outcome: OutcomeKind, at: number): void => {
  if (settles(outcome)) coverage.set(slot, coverWith(coverage.get(slot) ?? untested, column, outcome, at))
}
