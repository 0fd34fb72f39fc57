import { assert, describe, it } from "@effect/vitest"
import {
  countFailing,
  type Failing,
  failingSince,
  mostFailingSlots,
  noFailing,
  withBlame
} from "../../../src/domain/peer/Failing.ts"
import type { Outcome } from "../../../src/domain/probe/Job.ts"
import { blameOf, type OutcomeKind, outcomeKinds } from "../../../src/domain/probe/Outcome.ts"

const of = (slot: number, column: number, outcome: OutcomeKind): Outcome => ({
  slot,
  column,
  outcome,
  blockRoot: "0x",
  blobs: 1
})

const failed = (slots: ReadonlyArray<number>, at = 0, before: Failing = noFailing) =>
  withBlame(
    before,
    slots.map((slot) => of(slot, 1, "missing")),
    at
  ).failing

describe("what fails", () => {
  it("is what a peer was blamed for, and nothing else", () => {
    for (const kind of outcomeKinds) {
      assert.strictEqual(
        countFailing(withBlame(noFailing, [of(5, 1, kind)], 0).failing),
        blameOf[kind] === "peer" ? 1 : 0
      )
    }
  })

  it("is over, and counted as recovered, once it is delivered; that of another column or slot is not", () => {
    const two = withBlame(noFailing, [of(5, 1, "missing"), of(5, 2, "invalid")], 10).failing
    const other = withBlame(two, [of(5, 3, "success"), of(6, 1, "success"), of(5, 1, "suspected")], 20)
    assert.deepStrictEqual([other.failing, other.recovered], [two, 0])
    const one = withBlame(two, [of(5, 1, "success"), of(5, 1, "success")], 20)
    assert.deepStrictEqual([countFailing(one.failing), one.recovered], [1, 1])
    const none = withBlame(one.failing, [of(5, 2, "success")], 30)
    assert.deepStrictEqual([none.failing.size, none.recovered], [0, 1])
    assert.strictEqual(countFailing(two), 2)
  })

  it("counts only while its newest failure is within the window", () => {
    const twice = failed([5], 200, failed([5, 6], 100))
    assert.deepStrictEqual([...failingSince(twice, 200).keys()], [5])
    assert.strictEqual(failingSince(twice, 100), twice)
    assert.strictEqual(failingSince(twice, 201).size, 0)
  })

  it("is remembered for so many slots, those with the newest failures", () => {
    const slots = Array.from({ length: mostFailingSlots + 40 }, (_, slot) => slot)
    const many = failed(slots)
    assert.strictEqual(many.size, mostFailingSlots)
    assert.isFalse(many.has(39))
    // An old one that fails again is new.
    const again = failed([500], 2, failed([40], 1, many))
    assert.isTrue(again.has(40) && again.has(500))
    assert.isFalse(again.has(41))
  })
})
