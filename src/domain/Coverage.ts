import { Schema } from "effect"
import { blameOf, type OutcomeKind } from "./Outcome.ts"

/** Which combinations of one peer and slot were tested; bit n stands for column n. */
export interface SlotCoverage {
  readonly succeeded: bigint
  /** Blamed, and not succeeded since. */
  readonly failed: bigint
  /** Unix milliseconds of the newest test. */
  readonly testedAt: number
}

export const untested: SlotCoverage = { succeeded: 0n, failed: 0n, testedAt: 0 }

/** Whether an outcome settles a combination; what was nobody's or our own doing leaves it as it was. */
export const settles = (outcome: OutcomeKind): boolean => blameOf[outcome] === "none" || blameOf[outcome] === "peer"

/** `covered` after one more outcome, which must be one that settles: the newest decides. */
export const coverWith = (covered: SlotCoverage, column: number, outcome: OutcomeKind, at: number): SlotCoverage => {
  const bit = 1n << BigInt(column)
  return {
    succeeded: outcome === "success" ? covered.succeeded | bit : covered.succeeded & ~bit,
    failed: outcome === "success" ? covered.failed & ~bit : covered.failed | bit,
    testedAt: Math.max(covered.testedAt, at)
  }
}

/** How much of what a peer owes at this moment was tested; combinations are counted once, by their newest outcome. */
export const CoverageCounts = Schema.Struct({
  /** Combinations of slots whose block is known to have columns. */
  owed: Schema.Int,
  tested: Schema.Int,
  /** Of those tested, the ones blamed on the peer. */
  failed: Schema.Int
})
export type CoverageCounts = typeof CoverageCounts.Type
