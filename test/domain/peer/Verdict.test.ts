import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { addFindings } from "../../../src/domain/peer/Finding.ts"
import {
  addOutcomes,
  blameOf,
  noOutcomes,
  type OutcomeCounts,
  outcomeKinds
} from "../../../src/domain/probe/Outcome.ts"
import {
  addConversation,
  type ConversationCounts,
  noConversations,
  recentConversations,
  verdictOf
} from "../../../src/domain/peer/Verdict.ts"

const count = FastCheck.nat(20)
const conversations: FastCheck.Arbitrary<ConversationCounts> = FastCheck.record({
  answered: count,
  unanswered: count,
  refused: count
})
const blameless: FastCheck.Arbitrary<OutcomeCounts> = FastCheck.record({
  ...noOutcomesOf(count),
  missing: FastCheck.constant(0),
  invalid: FastCheck.constant(0),
  unavailable: FastCheck.constant(0),
  malformed: FastCheck.constant(0)
})
const blamed = FastCheck.constantFrom(...outcomeKinds.filter((kind) => blameOf[kind] === "peer"))

describe("verdictOf", () => {
  it("one blamed outcome makes a peer violating, whatever else happened", () => {
    FastCheck.assert(
      FastCheck.property(blameless, blamed, conversations, (outcomes, kind, talks) => {
        assert.strictEqual(verdictOf(addOutcomes(outcomes, { [kind]: 1 }), talks), "violating")
      }),
      { seed: 6 }
    )
  })

  it("nothing else makes a peer violating", () => {
    FastCheck.assert(
      FastCheck.property(blameless, conversations, (outcomes, talks) => {
        const verdict = verdictOf(outcomes, talks)
        assert.notStrictEqual(verdict, "violating")
        if (verdict === "compliant") assert.isAbove(outcomes.success, 0)
      }),
      { seed: 7, numRuns: 300 }
    )
  })

  it("the commonest way in which conversations went decides, an answer wins a tie, then a refusal", () => {
    const verdict = (answered: number, unanswered: number, refused: number, success = 1) =>
      verdictOf({ ...noOutcomes, success }, { answered, unanswered, refused })
    assert.strictEqual(verdict(0, 0, 0), "unknown")
    assert.strictEqual(verdict(2, 2, 2), "compliant")
    assert.strictEqual(verdict(2, 2, 2, 0), "unknown")
    assert.strictEqual(verdict(1, 2, 2), "refusing")
    assert.strictEqual(verdict(1, 3, 2), "unresponsive")
    assert.strictEqual(verdict(0, 1, 0), "unknown")
    assert.strictEqual(verdict(0, 2, 0), "unresponsive")
    assert.strictEqual(verdict(0, 0, 1), "refusing")
    // A stalled answer can still hold columns that verify.
    assert.strictEqual(verdict(0, 4, 0, 7), "unresponsive")
    assert.strictEqual(verdictOf(noOutcomes, noConversations), "unknown")
  })

  it("goes by recent conversations: weeks of silence are made good by two dozen answers, and the other way round", () => {
    const after = (from: ConversationCounts, kind: keyof ConversationCounts, times: number) =>
      verdictOf(
        { ...noOutcomes, success: 1 },
        Array.from({ length: times }).reduce<ConversationCounts>((counts) => addConversation(counts, kind), from)
      )
    const away = recentConversations({ answered: 100, unanswered: 5000, refused: 3 })
    assert.strictEqual(after(away, "answered", 5), "unresponsive")
    assert.strictEqual(after(away, "answered", 24), "compliant")
    const there = recentConversations({ answered: 100_000, unanswered: 0, refused: 0 })
    assert.strictEqual(after(there, "unanswered", 5), "compliant")
    assert.strictEqual(after(there, "unanswered", 30), "unresponsive")
  })
})

describe("counts", () => {
  it("add up, kind by kind, and leave their input alone", () => {
    assert.deepStrictEqual(addOutcomes(addOutcomes(noOutcomes, { missing: 2 }), { missing: 1, success: 4 }), {
      ...noOutcomes,
      missing: 3,
      success: 4
    })
    assert.strictEqual(noOutcomes.missing, 0)
    const finding = { kind: "claim_mismatch" as const, detail: "" }
    assert.deepStrictEqual(addFindings({ claim_mismatch: 1 }, [finding, finding]), { claim_mismatch: 3 })
    assert.deepStrictEqual(addFindings({}, []), {})
  })
})

function noOutcomesOf<A>(value: A): Record<keyof OutcomeCounts, A> {
  return {
    success: value,
    missing: value,
    invalid: value,
    unavailable: value,
    malformed: value,
    timeout: value,
    disconnected: value,
    refused: value,
    unverifiable: value
  }
}
