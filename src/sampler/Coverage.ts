import { blameOf, type OutcomeKind } from "../domain/Outcome.ts"

/** Which combinations of one slot were tested; bit n stands for column n. */
export interface SlotCoverage {
  readonly succeeded: bigint
  /** Blamed, and not succeeded since. */
  readonly failed: bigint
  /** Unix milliseconds of the newest test. */
  readonly testedAt: number
}

/** What was tested of one peer, by slot; a slot without an entry is untested. */
export type Coverage = Map<number, SlotCoverage>

export const untested: SlotCoverage = { succeeded: 0n, failed: 0n, testedAt: 0 }

/** A set of columns as a bitmap. */
export const bitmapOf = (columns: Iterable<number>): bigint => {
  let bits = 0n
  for (const column of columns) bits |= 1n << BigInt(column)
  return bits
}

/** How many columns are in a bitmap. */
export const sizeOf = (bitmap: bigint): number => {
  let count = 0
  for (let rest = bitmap; rest !== 0n; rest &= rest - 1n) count++
  return count
}

/** Whether an outcome settles a combination; what was nobody's or our own doing leaves it untested. */
const isTested = (outcome: OutcomeKind): boolean => blameOf[outcome] === "none" || blameOf[outcome] === "peer"

/** Adds one outcome. */
export const cover = (coverage: Coverage, slot: number, column: number, outcome: OutcomeKind, at: number): void => {
  if (!isTested(outcome)) return
  const bit = 1n << BigInt(column)
  const before = coverage.get(slot) ?? untested
  coverage.set(slot, {
    succeeded: outcome === "success" ? before.succeeded | bit : before.succeeded & ~bit,
    failed: outcome === "success" ? before.failed & ~bit : before.failed | bit,
    testedAt: Math.max(before.testedAt, at)
  })
}
