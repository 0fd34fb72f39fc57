import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import type { Job } from "../../src/domain/Job.ts"
import { bitmapOf, cover, type Coverage } from "../../src/sampler/Coverage.ts"
import { biased, type JobInput, type JobOptions, nextJob, type SlotBias } from "../../src/sampler/NextJob.ts"

const options: JobOptions = {
  maxColumns: 8,
  maxSlots: 16,
  maxCombinations: 64,
  slotBias: "uniform",
  preferUntested: true,
  retryFailures: true,
  retryAfterMs: 1000
}

/** A repeatable source of numbers in [0, 1). */
const lcg = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

const input = (over: Partial<JobInput> = {}): JobInput => ({
  peerId: "peer",
  slots: Array.from({ length: 100 }, (_, index) => index * 2),
  newFormSlot: Infinity,
  owed: () => bitmapOf([1, 5, 9, 17]),
  coverage: new Map(),
  options,
  now: 10_000,
  random: lcg(1),
  ...over
})

const combinations = (job: Job, slots: ReadonlyArray<number>): ReadonlyArray<readonly [number, number]> =>
  slots
    .filter((slot) => slot >= job.startSlot && slot < job.startSlot + job.count)
    .flatMap((slot) => job.columns.map((column) => [slot, column] as const))

describe("nextJob", () => {
  it("has nothing to ask when no slot has columns, or none is owed", () => {
    assert.isTrue(Option.isNone(nextJob(input({ slots: [] }))))
    assert.isTrue(Option.isNone(nextJob(input({ owed: () => 0n }))))
  })

  it("covers everything once before anything twice", () => {
    const coverage: Coverage = new Map()
    const random = lcg(2)
    const asked = new Map<string, number>()
    const slots = input().slots
    for (let jobs = 0; asked.size < 400; jobs++) {
      assert.isBelow(jobs, 200)
      const job = Option.getOrThrow(nextJob(input({ coverage, random })))
      for (const [slot, column] of combinations(job, slots)) {
        asked.set(`${slot}/${column}`, (asked.get(`${slot}/${column}`) ?? 0) + 1)
        cover(coverage, slot, column, "success", 5000)
      }
    }
    const repeated = [...asked.values()].filter((times) => times > 1).length
    assert.isBelow(repeated / asked.size, 0.2)
  })

  it("asks again for what failed, but not before its time", () => {
    const coverage: Coverage = new Map()
    for (const slot of input().slots) for (const column of [1, 5, 9, 17]) cover(coverage, slot, column, "success", 5000)
    cover(coverage, 40, 9, "missing", 9500)
    const early = Option.getOrThrow(nextJob(input({ coverage })))
    assert.notStrictEqual(early.startSlot, 40)
    const late = Option.getOrThrow(nextJob(input({ coverage, now: 10_500 })))
    assert.deepStrictEqual([late.startSlot, late.count, late.columns], [40, 1, [9]])
    const never = nextJob(input({ coverage, now: 1e9, options: { ...options, retryFailures: false } }))
    assert.notStrictEqual(Option.getOrThrow(never).startSlot, 40)
  })

  it("takes the stalest slot when all is covered", () => {
    const coverage: Coverage = new Map()
    for (const slot of input().slots) {
      for (const column of [1, 5, 9, 17]) cover(coverage, slot, column, "success", slot === 62 ? 100 : 5000)
    }
    assert.strictEqual(Option.getOrThrow(nextJob(input({ coverage }))).startSlot, 62)
  })

  it("keeps what is nobody's fault, or ours, untested", () => {
    const coverage: Coverage = new Map()
    for (const outcome of ["timeout", "disconnected", "refused", "unverifiable"] as const) {
      cover(coverage, 4, 1, outcome, 5000)
    }
    assert.strictEqual(coverage.size, 0)
  })

  it("stays within its limits, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.record({
          maxColumns: fc.integer({ min: 1, max: 128 }),
          maxSlots: fc.integer({ min: 1, max: 128 }),
          maxCombinations: fc.integer({ min: 1, max: 600 }),
          newFormSlot: fc.integer({ min: 0, max: 400 }),
          gaps: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 80 }),
          columns: fc.uniqueArray(fc.integer({ min: 0, max: 127 }), { minLength: 1, maxLength: 128 }),
          tested: fc.array(fc.tuple(fc.nat(79), fc.nat(127))),
          seed: fc.nat()
        }),
        ({ columns, gaps, newFormSlot, seed, tested, ...limits }) => {
          let last = 0
          const slots = gaps.map((gap) => (last += gap))
          const owed = bitmapOf(columns)
          const coverage: Coverage = new Map()
          for (const [index, column] of tested) {
            const slot = slots[index]
            if (slot !== undefined) cover(coverage, slot, column, "success", 1)
          }
          const random = lcg(seed)
          const job = Option.getOrThrow(
            nextJob(
              input({ slots, owed: () => owed, coverage, newFormSlot, random, options: { ...options, ...limits } })
            )
          )
          const wanted = combinations(job, slots)
          assert.isAtMost(job.count, limits.maxSlots)
          assert.isAtMost(job.columns.length, limits.maxColumns)
          assert.isAtLeast(wanted.length, 1)
          assert.isAtMost(wanted.length, Math.max(limits.maxCombinations, job.columns.length))
          assert.isTrue(slots.includes(job.startSlot) && slots.includes(job.startSlot + job.count - 1))
          assert.isTrue(job.startSlot < newFormSlot === job.startSlot + job.count - 1 < newFormSlot)
          assert.deepStrictEqual(
            [...job.columns],
            [...new Set(job.columns)].sort((a, b) => a - b)
          )
          assert.isTrue(job.columns.every((column) => columns.includes(column)))
        }
      ),
      { seed: 3, numRuns: 300 }
    )
  })
})

describe("biased", () => {
  const expectedMeans: ReadonlyArray<readonly [SlotBias, number]> = [
    ["uniform", 1 / 2],
    ["recent", 2 / 3],
    ["historical", 1 / 3],
    ["heavily_recent", 4 / 5],
    ["heavily_historical", 1 / 5]
  ]
  for (const [bias, mean] of expectedMeans) {
    it(`${bias} has the mean of its density`, () => {
      const random = lcg(11)
      const draws = Array.from({ length: 20_000 }, () => biased(bias, random))
      assert.closeTo(draws.reduce((sum, draw) => sum + draw, 0) / draws.length, mean, 0.01)
      assert.isTrue(draws.every((draw) => draw >= 0 && draw < 1))
    })
  }
})
