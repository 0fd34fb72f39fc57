import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { makeNewestRecords } from "../../src/discovery/discv5/NewestRecords.ts"

describe("the newest records", () => {
  it("are told once, again when they are newer, and again after a while", () => {
    const newest = makeNewestRecords<string>(10, 1_000)
    assert.isTrue(newest.isNews("a", 5n, 0))
    newest.told("a", 5n, "five", 0)
    assert.isFalse(newest.isNews("a", 5n, 999))
    assert.isTrue(newest.isNews("a", 5n, 1_000))
    assert.isFalse(newest.isNews("a", 4n, 1_000_000))
    assert.isTrue(newest.isNews("a", 6n, 1))
    newest.told("a", 6n, "six", 1)
    assert.deepStrictEqual(newest.all(), ["six"])
  })

  it("never go back, and never are more than the bound", () => {
    const step = fc.record({ node: fc.integer({ min: 0, max: 7 }), seq: fc.bigInt({ min: 0n, max: 9n }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const newest = makeNewestRecords<bigint>(4, 10)
        const last = new Map<number, bigint>()
        steps.forEach(({ node, seq }, now) => {
          if (!newest.isNews(String(node), seq, now)) return
          // What was forgotten may come in any way.
          const isKnown = newest.get(String(node))._tag === "Some"
          if (isKnown) assert.isTrue(seq >= (last.get(node) ?? 0n))
          newest.told(String(node), seq, seq, now)
          last.set(node, seq)
          assert.isAtMost(newest.all().length, 4)
        })
      })
    )
  })
})
