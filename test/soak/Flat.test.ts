import { assert, describe, it } from "@effect/vitest"
import { type Measured, type Sample, trendsOf } from "../../scripts/soak/Flat.ts"
import { seeded } from "../../src/devnet/chain/Random.ts"

/** Every two seconds for so many minutes: what each of them has at that minute, with some noise. */
const samplesOf = (minutes: number, valueAt: (minute: number) => number, noise: number = 0): ReadonlyArray<Sample> => {
  const random = seeded(1, "noise")
  return Array.from({ length: minutes * 30 }, (_, index) => {
    const value = valueAt(index / 30) + (noise * random.below(1001)) / 1000
    const values = {
      rssMiB: value,
      descriptors: value,
      threads: value,
      walMiB: value,
      databaseMiB: value,
      logMiB: value
    }
    return { at: index * 2000, values }
  })
}

const trendOf = (measured: Measured, samples: ReadonlyArray<Sample>, bounded = true) => {
  const trend = trendsOf(samples, bounded).find((trend) => trend.measured === measured)
  if (trend === undefined) throw new Error(measured)
  return trend
}

describe("whether what a monitor takes of its machine is flat", () => {
  it("says so of what is steady after its warm-up, however much it goes up and down", () => {
    const steady = samplesOf(55, (minute) => 300 + 200 * Math.min(1, minute / 4), 150)
    for (const { isFlat, measured, perHour } of trendsOf(steady, true)) {
      if (measured !== "threads") assert.isTrue(isFlat, `${measured} ${perHour}`)
    }
    assert.isAtMost(trendOf("rssMiB", steady).most, 650)
    assert.isTrue(
      trendOf(
        "threads",
        samplesOf(55, () => 23)
      ).isFlat
    )
  })

  it("is not taken in by noise where something leaks, and says by how much it grows in an hour", () => {
    const leak = trendOf(
      "rssMiB",
      samplesOf(55, (minute) => 400 + minute * 2, 150)
    )
    assert.isFalse(leak.isFlat)
    assert.closeTo(leak.perHour ?? 0, 120, 10)
    const sockets = trendOf(
      "descriptors",
      samplesOf(55, (minute) => 60 + minute / 2, 10)
    )
    assert.isFalse(sockets.isFlat)
  })

  it("does not count a burst of a few minutes as growth", () => {
    const burst = samplesOf(55, (minute) => (minute > 45 && minute < 52 ? 1500 : 400), 20)
    assert.isTrue(trendOf("rssMiB", burst).isFlat)
    assert.isAtLeast(trendOf("rssMiB", burst).most, 1500)
  })

  it("judges nothing that it saw too briefly, nor files that have not been full", () => {
    const brief = samplesOf(12, (minute) => 400 + minute * 50)
    assert.isUndefined(trendOf("rssMiB", brief).perHour)
    assert.isTrue(trendOf("rssMiB", brief).isFlat)
    const growing = samplesOf(55, (minute) => minute * 10)
    assert.isUndefined(trendOf("databaseMiB", growing, false).perHour)
    assert.isFalse(trendOf("databaseMiB", growing, true).isFlat)
    assert.isFalse(trendOf("walMiB", growing, false).isFlat)
    assert.strictEqual(trendOf("rssMiB", []).most, 0)
  })
})
