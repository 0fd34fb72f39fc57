import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { makeCombinations } from "../../../src/domain/column/Combinations.ts"

describe("Combinations", () => {
  it("is the same set as one of texts", () => {
    const step = FastCheck.record({
      slot: FastCheck.constantFrom(0, 7, 2 ** 40),
      column: FastCheck.constantFrom(0, 1, 8, 126, 127),
      isAdded: FastCheck.boolean()
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(step, { maxLength: 60 }), (steps) => {
        const combinations = makeCombinations()
        const texts = new Set<string>()
        for (const { column, isAdded, slot } of steps) {
          const text = `${slot}/${column}`
          const isKnown = texts.has(text)
          if (isAdded) {
            texts.add(text)
            assert.strictEqual(combinations.add(slot, column), !isKnown)
          } else {
            texts.delete(text)
            assert.strictEqual(combinations.remove(slot, column), isKnown)
          }
          assert.strictEqual(combinations.has(slot, column), isAdded)
          assert.strictEqual(combinations.size(), texts.size)
          assert.strictEqual(
            combinations.hasSlot(slot),
            [...texts].some((other) => other.startsWith(`${slot}/`))
          )
        }
      }),
      { seed: 31, numRuns: 300 }
    )
  })
})
