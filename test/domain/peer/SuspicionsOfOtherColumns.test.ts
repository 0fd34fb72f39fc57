import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { noSuspicions, withOutcomes } from "../../../src/domain/peer/Suspicions.ts"
import type { Outcome } from "../../../src/domain/probe/Job.ts"

const of = (column: number, outcome: Outcome["outcome"]): Outcome => ({
  slot: 7,
  column,
  outcome,
  blockRoot: "0x07",
  blobs: 1
})

describe("a suspicion", () => {
  it("is put off by no other column of its slot", () => {
    const confirmAfter = Duration.minutes(10)
    const suspected = withOutcomes(noSuspicions, { outcomes: [of(1, "suspected")], at: 0, confirmAfter })
    const later = withOutcomes(suspected, { outcomes: [of(2, "success")], at: 300_000, confirmAfter })
    expect(later.get(7)).toEqual(suspected.get(7))
  })
})
