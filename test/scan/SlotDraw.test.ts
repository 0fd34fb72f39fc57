import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { uniform } from "../../src/sampler/Uniform.ts"
import { drawSlots, partsOf } from "../../src/scan/SlotDraw.ts"

const ranges = fc.record({ start: fc.integer({ min: 0, max: 1000 }), length: fc.integer({ min: 0, max: 300 }) })

describe("the parts of a range", () => {
  it.prop(
    "are as many as wanted, in order, without a gap, and of one length but for rounding",
    [ranges, fc.integer({ min: 1, max: 40 })],
    ([{ length, start }, count]) => {
      const parts = partsOf({ start, end: start + length - 1 }, count)
      assert.strictEqual(parts.length, Math.min(count, length))
      const lengths = parts.map((part) => part.end - part.start + 1)
      assert.strictEqual(
        lengths.reduce((sum, one) => sum + one, 0),
        length
      )
      assert.isTrue(
        parts.every((part, index) => part.start === (index === 0 ? start : (parts[index - 1]?.end ?? 0) + 1))
      )
      assert.isAtMost(Math.max(0, ...lengths) - Math.min(Infinity, ...lengths), 1)
    }
  )
})

describe("slots that are drawn", () => {
  it.prop(
    "are different ones of the range, all of it if that is asked for",
    [ranges, fc.integer({ min: 0, max: 400 }), fc.integer()],
    ([{ length, start }, most, seed]) => {
      const drawn = drawSlots({ start, end: start + length - 1 }, most, uniform(seed))
      assert.strictEqual(drawn.length, Math.min(most, length))
      assert.strictEqual(new Set(drawn).size, drawn.length)
      assert.isTrue(drawn.every((slot) => slot >= start && slot < start + length))
    }
  )

  it("are each as likely as any other", () => {
    const random = uniform(7)
    const counts = new Map<number, number>()
    for (let round = 0; round < 20_000; round++) {
      for (const slot of drawSlots({ start: 0, end: 9 }, 2, random)) counts.set(slot, (counts.get(slot) ?? 0) + 1)
    }
    for (const count of counts.values()) assert.closeTo(count, 4000, 300)
    assert.strictEqual(counts.size, 10)
  })
})
