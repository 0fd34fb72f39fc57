import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import {
  addDelay,
  addDelays,
  decodeDelays,
  delayQuantile,
  encodeDelays
} from "../../../src/domain/arrival/DelayHistogram.ts"

const of = (delays: ReadonlyArray<number>) => {
  const histogram = new Map<number, number>()
  for (const ms of delays) addDelay(histogram, ms)
  return histogram
}
const delays = FastCheck.array(FastCheck.integer({ min: -1000, max: 130_000 }), { minLength: 1, maxLength: 300 })

describe("the histogram of delays", () => {
  it("tells quantiles as they are, to a thirty-second or 4 ms, and early ones to 50 ms", () => {
    FastCheck.assert(
      FastCheck.property(delays, FastCheck.constantFrom(0, 0.01, 0.5, 0.9, 0.99, 1), (all, q) => {
        const sorted = [...all].sort((a, b) => a - b)
        const true_ = sorted[Math.max(0, Math.ceil(q * all.length) - 1)] ?? NaN
        const told = delayQuantile(of(all), q) ?? NaN
        assert.isAtMost(Math.abs(told - true_), true_ < 0 ? 50 : Math.max(4, true_ / 32), `${true_}`)
      }),
      { seed: 3, numRuns: 1000 }
    )
  })

  it("is the same from disk, and added up in any parts", () => {
    FastCheck.assert(
      FastCheck.property(delays, delays, (some, others) => {
        const sum = of(some)
        addDelays(sum, decodeDelays(encodeDelays(of(others))) ?? assert.fail("not read"))
        assert.deepStrictEqual([...encodeDelays(sum)], [...encodeDelays(of([...some, ...others]))])
      }),
      { seed: 3, numRuns: 300 }
    )
    assert.isUndefined(decodeDelays(Uint8Array.of(1)))
    assert.isUndefined(decodeDelays(Uint8Array.of(128)))
    assert.isNull(delayQuantile(new Map(), 0.5))
  })

  it("has a place for whatever comes", () => {
    for (const [ms, told] of [
      [-60_000, -950],
      [1e9, 129_024]
    ] as const) {
      assert.strictEqual(delayQuantile(of([ms]), 0.5), told)
    }
  })
})
