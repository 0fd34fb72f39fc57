import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import { edgeEvery, nextJob } from "../../src/sampler/NextJob.ts"
import { placeOf, type SlotBias } from "../../src/sampler/SlotBias.ts"
import { allOf, claimsFor, combinations, coverageOf, input, lcg, options, wordsOf } from "./Fixture.ts"

const range = { start: 40, end: 999 }
const columns = [1, 5, 9, 17, 40, 77, 101, 126]
const all = Array.from({ length: 128 }, (_, column) => column)

describe("nextJob", () => {
  it("has nothing to ask when no slot has columns, none is owed, or the range is empty", () => {
    assert.isTrue(Option.isNone(nextJob(input(range, { columnSlots: () => 0 }))))
    assert.isTrue(Option.isNone(nextJob(input(range, { coverage: coverageOf(claimsFor([]), range) }))))
    assert.isTrue(Option.isNone(nextJob(input(range, { range: { start: 50, end: 49 } }))))
  })

  it("fills a request: all columns of a regular peer, 16 of a supernode's, in 32 slots", () => {
    const regular = Option.getOrThrow(nextJob(input(range, { turn: 1 })))
    assert.deepStrictEqual([regular.columns.length, regular.count], [8, 32])
    const supernode = Option.getOrThrow(nextJob(input(range, { turn: 1, coverage: coverageOf(claimsFor(all), range) })))
    assert.deepStrictEqual([supernode.columns.length, supernode.count], [16, 32])
    const wide = { ...options, maxColumns: 128, maxSlots: 128 }
    const tall = nextJob(
      input(range, { turn: 1, options: wide, coverage: coverageOf(claimsFor(all), range, wide), range })
    )
    assert.deepStrictEqual(
      Option.map(tall, (job) => [job.columns.length, job.count]),
      Option.some([32, 16])
    )
  })

  it("meets every column of a supernode within one round", () => {
    const coverage = coverageOf(claimsFor(all), range)
    const asked = Array.from({ length: 8 }, (_, turn) =>
      Option.getOrThrow(nextJob(input(range, { turn, coverage, random: lcg(turn) })))
    )
    assert.lengthOf(new Set(asked.flatMap((job) => job.columns)), 128)
  })

  it("meets every column also where less than a slot of them may be asked for at once", () => {
    for (const maxCombinations of [1, 3, 10]) {
      const coverage = coverageOf(claimsFor(all), range)
      const seen = new Set<number>()
      const rounds = Math.ceil(16 / maxCombinations)
      for (let turn = 0; turn < coverage.groups * rounds; turn++) {
        const job = Option.getOrThrow(
          nextJob(
            input(range, {
              coverage,
              turn,
              random: lcg(turn + 7),
              options: { ...options, maxCombinations, maxSlots: 1 }
            })
          )
        )
        assert.isAtMost(job.columns.length * job.count, maxCombinations)
        assert.deepStrictEqual(
          job.columns,
          [...job.columns].sort((a, b) => a - b)
        )
        for (const column of job.columns) seen.add(column)
      }
      assert.strictEqual(seen.size, 128, `${maxCombinations} at once`)
    }
  })

  it("goes to the oldest slots first, and again every sixteenth time", () => {
    const coverage = input(range).coverage
    for (const turn of [0, edgeEvery, 2 * edgeEvery]) {
      const job = Option.getOrThrow(nextJob(input(range, { turn, coverage })))
      assert.strictEqual(job.startSlot, turn === 0 ? 40 : turn === edgeEvery ? 72 : 104)
      coverage.add(
        allOf(job, () => -1, true),
        1
      )
    }
  })

  for (const peer of [columns, all]) {
    it(`covers everything once before anything twice, ${peer.length} columns, answers cut short and slots left empty`, () => {
      const coverage = coverageOf(claimsFor(peer), range)
      const columnSlots = wordsOf((slot) => slot % 5 !== 2)
      const random = lcg(2)
      const asked = new Set<string>()
      let turn = 0
      const owed = coverage.count(range, columnSlots).owed
      for (; asked.size < owed; turn++) {
        assert.isBelow(turn, 2_000)
        const job = Option.getOrThrow(nextJob(input(range, { coverage, columnSlots, turn, random })))
        const came = allOf(job, columnSlots, true)
        const answered = came.slice(0, random() < 0.3 ? Math.ceil(came.length * random()) : came.length)
        for (const { column, slot } of answered) {
          assert.isFalse(asked.has(`${slot}/${column}`), `${slot}/${column} again, job ${turn}`)
          asked.add(`${slot}/${column}`)
        }
        coverage.add(answered, 5_000)
      }
      assert.deepStrictEqual(coverage.count(range, columnSlots), { owed, tested: owed, failed: 0 })
      assert.isBelow(turn / (owed / (Math.min(peer.length, 16) * 26)), 3)
    })
  }

  it("asks again for what failed, when it is time and not before, and never if it is told not to", () => {
    const base = input(range)
    const full = allOf({ peerId: "", startSlot: 40, count: 960, columns }, () => -1, true)
    const failed = { slot: 400, column: 9, succeeded: false }
    base.coverage.add(full, 900_000)
    base.coverage.add([failed], 950_000)
    const next = (over: Parameters<typeof input>[1]) =>
      Option.getOrThrow(nextJob(input(range, { coverage: base.coverage, turn: 1, ...over })))
    const early = next({ now: 1_009_999 })
    assert.isFalse(combinations(early, () => -1).some(({ column, slot }) => column === 9 && slot === 400))
    const late = next({ now: 1_010_000 })
    assert.deepStrictEqual([late.startSlot, late.count, late.columns], [400, 1, [9]])
    for (let turn = 0; turn < 40; turn++) {
      const never = next({ turn, now: 1e12, options: { ...options, retryFailures: false } })
      assert.isFalse(combinations(never, () => -1).some(({ column, slot }) => column === 9 && slot === 400))
      base.coverage.add(
        allOf(never, () => -1, true),
        2e6 + turn * 1000
      )
    }
    base.coverage.add([{ ...failed, succeeded: true }], 3_000_000)
    assert.strictEqual(base.coverage.failures.size, 0)
  })

  it("takes the stalest when all is covered, one after the other", () => {
    const { coverage } = input(range)
    for (let slot = 40; slot < 1000; slot += 32) {
      const block = { peerId: "", startSlot: slot, count: 32, columns }
      coverage.add(
        allOf(block, () => -1, true),
        ((slot * 7919) % 960) * 1000
      )
    }
    let last = -1
    for (let turn = 0; turn < 31; turn++) {
      const job = Option.getOrThrow(nextJob(input(range, { coverage, turn })))
      const at = coverage.testedAt(Math.floor(job.startSlot / 32), 0)
      assert.isAtLeast(at, last)
      last = at
      coverage.add(
        allOf(job, () => -1, true),
        5_000_000
      )
    }
  })

  it("without prefer_untested asks wherever the bias points, tested or not, but for fresh failures", () => {
    const free = { ...options, preferUntested: false }
    const { coverage } = input(range)
    coverage.add(
      allOf({ peerId: "", startSlot: 40, count: 700, columns }, () => -1, true),
      999_000
    )
    coverage.add(
      allOf({ peerId: "", startSlot: 740, count: 100, columns }, () => -1, false),
      999_000
    )
    const random = lcg(5)
    const starts = Array.from({ length: 400 }, (_, turn) => {
      const job = Option.getOrThrow(nextJob(input(range, { coverage, turn, random, options: free })))
      assert.isTrue(combinations(job, () => -1).every(({ slot }) => slot < 740 || slot >= 840))
      return job.startSlot
    })
    assert.closeTo(starts.filter((slot) => slot < 740).length / 400, 700 / 860, 0.08)
  })

  it("stays within its limits and asks only for what is wanted, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.record({
          maxColumns: fc.integer({ min: 1, max: 128 }),
          maxSlots: fc.integer({ min: 1, max: 128 }),
          maxCombinations: fc.integer({ min: 1, max: 600 }),
          boundary: fc.integer({ min: 0, max: 500 }),
          start: fc.integer({ min: 0, max: 200 }),
          length: fc.integer({ min: 1, max: 300 }),
          columns: fc.uniqueArray(fc.integer({ min: 0, max: 127 }), { minLength: 1, maxLength: 128 }),
          joined: fc.integer({ min: 0, max: 300 }),
          tested: fc.array(fc.tuple(fc.nat(499), fc.nat(127), fc.boolean()), { maxLength: 60 }),
          turn: fc.nat(20),
          seed: fc.nat()
        }),
        ({ boundary, columns: given, joined, length, seed, start, tested, turn, ...limits }) => {
          const own = given.toSorted((a, b) => a - b)
          const within = { start, end: start + length - 1 }
          const over = { ...options, ...limits }
          const late = own.at(-1) ?? 0
          const coverage = coverageOf(claimsFor(own, new Map([[late, joined]])), { start: 0, end: 600 }, over)
          const columnSlots = wordsOf((slot) => slot % 3 !== 1)
          const known = new Set<string>()
          for (const [slot, column, succeeded] of tested) {
            if (!own.includes(column)) continue
            coverage.add([{ slot, column, succeeded }], 1_000_000)
            known.add(`${slot}/${column}`)
          }
          const owed = Array.from({ length }, (_, index) => start + index).flatMap((slot) =>
            slot % 3 === 1
              ? []
              : own.filter((column) => column !== late || slot >= joined).map((column) => `${slot}/${column}`)
          )
          const job = Option.getOrUndefined(
            nextJob(
              input(within, { coverage, columnSlots, boundaries: [boundary], options: over, turn, random: lcg(seed) })
            )
          )
          const untested = owed.filter((one) => !known.has(one))
          if (job === undefined) return assert.lengthOf(untested, 0)
          const asked = combinations(job, columnSlots).map(({ column, slot }) => `${slot}/${column}`)
          assert.isAtMost(job.count, limits.maxSlots)
          assert.isAtMost(job.columns.length, limits.maxColumns)
          assert.isAtMost(asked.length, limits.maxCombinations)
          assert.isAtLeast(asked.length, 1)
          assert.isTrue(asked.every((one) => owed.includes(one)))
          if (untested.length > 0) assert.isTrue(asked.every((one) => untested.includes(one)))
          assert.isTrue(job.startSlot < boundary === job.startSlot + job.count - 1 < boundary)
          assert.isTrue(job.columns.every((column, index) => index === 0 || column > (job.columns[index - 1] ?? 0)))
          assert.isTrue([job.startSlot, job.startSlot + job.count - 1].every((slot) => slot % 3 !== 1))
          const counted = coverage.count(within, columnSlots)
          assert.deepStrictEqual([counted.owed, counted.tested], [owed.length, owed.length - untested.length])
        }
      ),
      { seed: 3, numRuns: 500 }
    )
  })
})

/** Chi-square of the starts of many jobs, against the stated distribution, in ten parts of the allowed slots. */
describe("slot_bias", () => {
  const cumulative: Readonly<Record<SlotBias, (x: number) => number>> = {
    uniform: (x) => x,
    recent: (x) => x ** 2,
    historical: (x) => 1 - (1 - x) ** 2,
    heavily_recent: (x) => x ** 4,
    heavily_historical: (x) => 1 - (1 - x) ** 4
  }
  const biases: ReadonlyArray<SlotBias> = ["uniform", "recent", "historical", "heavily_recent", "heavily_historical"]
  for (const bias of biases) {
    it(`${bias} is distributed as stated`, () => {
      const wide = { start: 0, end: 32_000 * 10 - 1 }
      const random = lcg(11)
      const draws = 20_000
      const counts = Array.from({ length: 10 }, () => 0)
      const coverage = coverageOf(claimsFor(columns), wide)
      for (let draw = 0; draw < draws; draw++) {
        const drawn = nextJob(input(wide, { coverage, turn: 1, random, options: { ...options, slotBias: bias } }))
        const part = Math.floor(Option.getOrThrow(drawn).startSlot / 32_000)
        counts[part] = (counts[part] ?? 0) + 1
      }
      const chiSquare = counts.reduce((sum, count, part) => {
        const expected = draws * (cumulative[bias]((part + 1) / 10) - cumulative[bias](part / 10))
        return sum + (expected < 5 ? 0 : (count - expected) ** 2 / expected)
      }, 0)
      // 99.9% point of nine degrees of freedom.
      assert.isBelow(chiSquare, 27.9)
      assert.isTrue([0, 0.5, 0.999999].every((draw) => placeOf(bias, draw) >= 0 && placeOf(bias, draw) < 1))
    })
  }
})
