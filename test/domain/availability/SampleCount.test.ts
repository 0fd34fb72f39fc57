import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Schema } from "effect"
import {
  probabilityAtLeast,
  probabilityAtMost,
  probabilityOf
} from "../../../src/domain/availability/Hypergeometric.ts"
import {
  getExtendedSampleCount,
  passingAnyOf,
  passingProbability,
  sampleStages
} from "../../../src/domain/availability/SampleCount.ts"

const vector = Schema.decodeUnknownSync(
  Schema.Struct({
    false_positive_threshold: Schema.Record({ key: Schema.String, value: Schema.Number }),
    table: Schema.Record({ key: Schema.String, value: Schema.Array(Schema.Int) })
  })
)(JSON.parse(readFileSync(new URL("../../vectors/sampling/extended_sample_count.json", import.meta.url), "utf8")))

/** By the draws, one after the other: nothing like the program's way. */
const byDraws = (total: number, marked: number, drawn: number): ReadonlyArray<number> => {
  let row = [1]
  for (let draw = 0; draw < drawn; draw++) {
    const next = Array.from({ length: row.length + 1 }, () => 0)
    row.forEach((probability, found) => {
      const hit = Math.max(0, marked - found) / (total - draw)
      next[found] = (next[found] ?? 0) + probability * (1 - hit)
      next[found + 1] = (next[found + 1] ?? 0) + probability * hit
    })
    row = next
  }
  return row
}

const draws = fc
  .record({ total: fc.integer({ min: 1, max: 128 }), marked: fc.nat(128), drawn: fc.nat(128) })
  .filter(({ drawn, marked, total }) => marked <= total && drawn <= total)

describe("the hypergeometric distribution", () => {
  it("is what drawing one after the other comes to", () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const row = byDraws(draw.total, draw.marked, draw.drawn)
        row.forEach((probability, k) => assert.closeTo(probabilityOf(k, draw), probability, 1e-9))
      })
    )
  })

  it("sums up to one, and its tails meet", () => {
    fc.assert(
      fc.property(draws, fc.nat(128), (draw, k) => {
        assert.closeTo(probabilityAtMost(draw.drawn, draw), 1, 1e-9)
        assert.closeTo(probabilityAtMost(k, draw) + probabilityAtLeast(k + 1, draw), 1, 1e-9)
      })
    )
  })
})

describe("how many columns to sample", () => {
  for (const [samples, counts] of Object.entries(vector.table)) {
    it(`is as in the vector for ${samples} samples`, () => {
      assert.deepStrictEqual(
        counts.map((_, allowed) => getExtendedSampleCount(allowed, Number(samples))),
        counts
      )
      const threshold = vector.false_positive_threshold[samples] ?? NaN
      assert.closeTo(passingProbability({ count: Number(samples), allowed: 0 }) / threshold, 1, 1e-9)
    })
  }

  it("for a block of which 63 columns exist is C(63,k) / C(128,k)", () => {
    const known = [0.492, 0.24, 5.58e-2, 2.71e-3, 1.13e-4, 3.93e-6, 1.13e-7]
    const found = [1, 2, 4, 8, 12, 16, 20].map((count) => passingProbability({ count, allowed: 0 }))
    found.forEach((probability, index) => assert.closeTo(probability / (known[index] ?? NaN), 1, 0.005))
    assert.strictEqual(passingProbability({ count: 64, allowed: 0 }), 0)
  })

  it("goes through stages that together risk what drawing in their order does", () => {
    const stages = sampleStages(8, 3)
    assert.deepStrictEqual(stages, [
      { count: 8, allowed: 0 },
      { count: 12, allowed: 1 },
      { count: 15, allowed: 2 },
      { count: 18, allowed: 3 }
    ])
    // By every number of absent columns in each part of the order, the parts being 8, 4, 3 and 3 columns.
    let risk = 0
    const go = (stage: number, drawn: number, failed: number, probability: number): void => {
      const { allowed = 0, count = 0 } = stages[stage] ?? {}
      if (stage === stages.length || probability === 0) return
      byDraws(128 - drawn, 65 - failed, count - drawn).forEach((share, added) => {
        if (failed + added <= allowed) risk += probability * share
        else go(stage + 1, count, failed + added, probability * share)
      })
    }
    go(0, 0, 0, 1)
    assert.closeTo(passingAnyOf(stages), risk, 1e-9)
    assert.closeTo(passingAnyOf(stages.slice(0, 1)), passingProbability({ count: 8, allowed: 0 }), 1e-12)
  })

  it("risks less the more columns are asked for and the fewer exist, more the more may fail", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 127 }),
        fc.nat(16),
        fc.integer({ min: 1, max: 127 }),
        (count, allowed, present) => {
          const risk = passingProbability({ count, allowed }, present)
          assert.isAtMost(passingProbability({ count: count + 1, allowed }, present), risk + 1e-12)
          assert.isAtLeast(passingProbability({ count, allowed: allowed + 1 }, present), risk - 1e-12)
          assert.isAtMost(passingProbability({ count, allowed }, present - 1), risk + 1e-12)
        }
      )
    )
  })
})
