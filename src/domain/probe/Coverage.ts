import { Schema } from "effect"
import { blameOf, type OutcomeKind } from "./Outcome.ts"

/** Whether an outcome settles a combination; what was nobody's or our own doing leaves it as it was. */
export const settles = (outcome: OutcomeKind): boolean => blameOf[outcome] === "none" || blameOf[outcome] === "peer"

/** How much of what a peer owes at this moment was tested; combinations are counted once, by their newest outcome. */
export const CoverageCounts = Schema.Struct({
  /** Combinations of slots whose block is known to have columns. */
  owed: Schema.Int,
  tested: Schema.Int,
  /** Of those tested, the ones blamed on the peer. */
  failed: Schema.Int
})
export type CoverageCounts = typeof CoverageCounts.Type
