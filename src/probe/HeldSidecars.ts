import { makeCombinations } from "../domain/column/Combinations.ts"
import { MalformedResponse } from "../domain/probe/Outcome.ts"

/** What a probe has kept of all its answers: of each combination the first that came. */
export interface HeldSidecars {
  /**
   * Whether it is to be kept: `known` where an earlier answer brought the combination, `full` where the probe was given
   * less room than its answers need, and an error where they have more than all that was asked for can have.
   */
  readonly keep: (slot: number, column: number, bytes: number) => "kept" | "known" | "full" | MalformedResponse
}

/** `expected`: bytes of all that is asked for; `most`: those that may be held. */
export const makeHeldSidecars = (expected: number, most: number): HeldSidecars => {
  const kept = makeCombinations()
  let held = 0
  return {
    keep: (slot, column, bytes) => {
      if (kept.has(slot, column)) return "known"
      if (held + bytes > most) {
        if (most < expected) return "full"
        const detail = `${held + bytes} bytes of sidecars came, the blocks asked for have ${expected}`
        return new MalformedResponse({ detail })
      }
      kept.add(slot, column)
      held += bytes
      return "kept"
    }
  }
}
