import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { addFindings } from "../../../src/domain/peer/Finding.ts"
import { addOutcomes, noOutcomes } from "../../../src/domain/probe/Outcome.ts"
import {
  addConversation,
  type ConversationCounts,
  recentConversations,
  verdictOf
} from "../../../src/domain/peer/Verdict.ts"

const count = FastCheck.nat(20)
const conversations: FastCheck.Arbitrary<ConversationCounts> = FastCheck.record({
  answered: count,
  unanswered: count,
  refused: count
})

const grounds = FastCheck.record({
  hasDelivered: FastCheck.boolean(),
  failing: FastCheck.nat(3),
  isEvasive: FastCheck.boolean(),
  conversations
})

describe("verdictOf", () => {
  it("what fails in the window makes a peer violating and nothing else does, then what it escapes makes it evasive", () => {
    FastCheck.assert(
      FastCheck.property(grounds, (grounds) => {
        const verdict = verdictOf(grounds)
        assert.strictEqual(verdict === "violating", grounds.failing > 0)
        assert.strictEqual(verdict === "evasive", grounds.failing === 0 && grounds.isEvasive)
        if (verdict === "compliant") assert.isTrue(grounds.hasDelivered)
      }),
      { seed: 7, numRuns: 500 }
    )
  })

  it("heals: once nothing fails any more the rest decides, as if nothing had", () => {
    FastCheck.assert(
      FastCheck.property(grounds, (grounds) => {
        const healed = { ...grounds, failing: 0, isEvasive: false }
        const expected = verdictOf({ ...healed })
        assert.notInclude(["violating", "evasive"], expected)
        assert.strictEqual(verdictOf({ ...grounds, failing: 0 }), grounds.isEvasive ? "evasive" : expected)
      }),
      { seed: 6 }
    )
  })

  it("the commonest way in which conversations went decides, an answer wins a tie, then a refusal", () => {
    const verdict = (answered: number, unanswered: number, refused: number, success = 1) =>
      verdictOf({
        hasDelivered: success > 0,
        failing: 0,
        isEvasive: false,
        conversations: { answered, unanswered, refused }
      })
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
  })

  it("goes by recent conversations: weeks of silence are made good by two dozen answers, and the other way round", () => {
    const after = (from: ConversationCounts, kind: keyof ConversationCounts, times: number) =>
      verdictOf({
        hasDelivered: true,
        failing: 0,
        isEvasive: false,
        conversations: Array.from({ length: times }).reduce<ConversationCounts>(
          (counts) => addConversation(counts, kind),
          from
        )
      })
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
