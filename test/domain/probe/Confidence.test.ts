import { assert, describe, it } from "@effect/vitest"
import { coverageView, withheldInterval } from "../../../src/domain/probe/Confidence.ts"

/** P(k of n drawn are broken), by recurrence over the draws: slow, and nothing like the program's way. */
const probabilities = (total: number, broken: number, n: number): ReadonlyArray<number> => {
  let row = [1]
  for (let drawn = 0; drawn < n; drawn++) {
    const next = Array.from({ length: row.length + 1 }, () => 0)
    row.forEach((probability, found) => {
      const bad = Math.max(0, broken - found) / (total - drawn)
      next[found] = (next[found] ?? 0) + probability * (1 - bad)
      next[found + 1] = (next[found + 1] ?? 0) + probability * bad
    })
    row = next
  }
  return row
}

describe("withheldInterval", () => {
  it("holds the truth in at least 95% of all samples, for every truth, and is no wider than that asks for", () => {
    const total = 60
    for (const tested of [1, 5, 20, 40, 59]) {
      const intervals = Array.from({ length: tested + 1 }, (_, failed) =>
        withheldInterval({ owed: total, tested, failed })
      )
      for (let broken = 0; broken <= total; broken++) {
        const row = probabilities(total, broken, tested)
        let covered = 0
        for (const [failed, { high, low }] of intervals.entries()) {
          if (failed > broken || tested - failed > total - broken) continue
          const inside = broken / total >= low - 1e-9 && broken / total <= high + 1e-9
          if (inside) covered += row[failed] ?? 0
          // Exact: outside of it exactly those truths of which the sample would be a one in forty surprise.
          const below = row.slice(0, failed + 1).reduce((sum, one) => sum + one, 0)
          const above = row.slice(failed).reduce((sum, one) => sum + one, 0)
          assert.strictEqual(inside, below > 0.025 && above > 0.025, `${failed} of ${tested}, truth ${broken}`)
        }
        assert.isAtLeast(covered, 0.95)
      }
    }
  })

  it("is everything when nothing was tested, and a point when all was", () => {
    const range = ({ high, low }: { readonly low: number; readonly high: number }) => [low, high]
    assert.deepStrictEqual(range(withheldInterval({ owed: 1_000_000, tested: 0, failed: 0 })), [0, 1])
    assert.deepStrictEqual(range(withheldInterval({ owed: 1_000_000, tested: 1_000_000, failed: 0 })), [0, 0])
    assert.deepStrictEqual(
      range(withheldInterval({ owed: 1_000_000, tested: 1_000_000, failed: 250_000 })),
      [0.25, 0.25]
    )
  })

  it("agrees with known values at the size of a supernode", () => {
    // The rule of three: nothing in n says at most about 3.7/n (95% two-sided) is broken.
    const clean = withheldInterval({ owed: 16_777_216, tested: 10_000, failed: 0 })
    assert.strictEqual(clean.low, 0)
    assert.closeTo(clean.high, 1 - 0.025 ** (1 / 10_000), 2e-6)
    // Normal approximation with the finite population's correction.
    const half = withheldInterval({ owed: 16_777_216, tested: 8_388_608, failed: 838_861 })
    const sigma = Math.sqrt((0.1 * 0.9 * 0.5) / 8_388_608)
    assert.closeTo(half.low, 0.1 - 1.96 * sigma, 2e-6)
    assert.closeTo(half.high, 0.1 + 1.96 * sigma, 2e-6)
  })
})

describe("coverageView", () => {
  it("tells what was proven of what was tested, with the rest of the interval of what is withheld", () => {
    const { proven, withheld } = coverageView({ owed: 1000, tested: 200, failed: 10 })
    assert.strictEqual(proven?.share, 0.95)
    assert.closeTo(proven?.low ?? 0, 1 - (withheld?.high ?? 0), 1e-12)
    assert.closeTo(proven?.high ?? 0, 1 - (withheld?.low ?? 0), 1e-12)
    assert.isTrue(proven !== null && proven.low < proven.share && proven.share < proven.high)
    assert.isNull(coverageView({ owed: 1000, tested: 0, failed: 0 }).proven)
    assert.isNull(coverageView({ owed: 0, tested: 5, failed: 0 }).proven)
  })
})
