import { assert, describe, it } from "@effect/vitest"
import { coverageView } from "../../../src/domain/probe/Confidence.ts"
import { custodyTotals, peerCounts } from "../../../src/domain/peer/PeerTotals.ts"
import { peerOf } from "../../http/FakeDasmon.ts"

const views = [
  peerOf("a", { verdict: "compliant", coverage: coverageView({ owed: 100, tested: 40, failed: 0 }), suspicions: 5 }),
  peerOf("b", { verdict: "violating", coverage: coverageView({ owed: 100, tested: 10, failed: 5 }), suspicions: 20 }),
  peerOf("c", { verdict: "evasive", connected: false, findings: { columns_not_served: 3, earliest_slot_at_head: 1 } }),
  peerOf("d", { verdict: "evasive", findings: { earliest_slot_at_head: 2 } })
]

describe("the totals over peers", () => {
  it("tell what was proven, and what would be if every suspicion were true", () => {
    assert.deepStrictEqual(custodyTotals(views), {
      tested: 50,
      failed: 5,
      suspected: 25,
      compliance: 0.9,
      complianceWithSuspicions: 0.6
    })
    assert.deepStrictEqual(custodyTotals([]), {
      tested: 0,
      failed: 0,
      suspected: 0,
      compliance: null,
      complianceWithSuspicions: null
    })
    assert.strictEqual(custodyTotals([peerOf("a", { suspicions: 1 })]).complianceWithSuspicions, 0)
  })

  it("count the scores in fifths", () => {
    const scored = [0, 0.19, 0.2, 0.5, 0.8, 1].map((score, index) => peerOf(String(index), { score }))
    assert.deepStrictEqual(peerCounts(scored).scores, [2, 1, 1, 0, 2])
  })

  it("count each verdict, and name apart who never serves columns or has nothing but its head", () => {
    assert.deepStrictEqual(peerCounts(views), {
      tracked: 4,
      connected: 3,
      verdicts: { compliant: 1, violating: 1, evasive: 2, unresponsive: 0, refusing: 0, unknown: 0 },
      withoutColumns: 1,
      earliestAtHead: 2,
      scores: [0, 0, 4, 0, 0]
    })
  })
})
