import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, FastCheck as fc, Option } from "effect"
import { tileOf, tileStart } from "../../src/domain/network/Tile.ts"
import { type SuspectedSlot, suspicionsOf } from "../../src/domain/peer/Suspicions.ts"
import type { Job } from "../../src/domain/probe/Job.ts"
import { largestShape } from "../../src/sampler/JobShape.ts"
import { type JobInput, nextJob } from "../../src/sampler/NextJob.ts"
import { setAside } from "../../src/sampler/SetAside.ts"
import { allOf, claimsFor, combinations, coverageOf, input, lcg, options, wordsOf } from "./Fixture.ts"

const columns = [1, 5, 9, 17, 40, 77, 101, 126]

type Rule = (input: JobInput) => Option.Option<Job>

/** The rule as it was once: a job that tests again went on to the end of its tile, wherever the range ended. */
const oldRule: Rule = (input) =>
  Option.map(nextJob(input), (job) =>
    input.options.preferUntested && isRetest(input, job) ? wholeTile(input, job) : job
  )

const isRetest = ({ columnSlots, coverage }: JobInput, job: Job): boolean =>
  combinations(job, columnSlots).every(
    ({ column, slot }) => (coverage.tested(tileOf(slot), coverage.columns.indexOf(column)) & (1 << (slot & 31))) !== 0
  )

const wholeTile = ({ columnSlots, coverage, options, range }: JobInput, job: Job): Job => {
  const wanted = (tile: number, index: number): number => ~coverage.failed(tile, index) & coverage.owed(tile, index)
  const lastSlot = Math.min(tileStart(tileOf(job.startSlot) + 1), job.startSlot + options.maxSlots) - 1
  const [first, after] = coverage.group(coverage.groupOf(coverage.columns.indexOf(job.columns[0] ?? -1)))
  const bit = 1 << (job.startSlot & 31)
  const indices = Array.from({ length: after - first }, (_, index) => first + index).filter(
    (index) => (wanted(tileOf(job.startSlot), index) & bit) !== 0
  )
  const { maxCombinations } = options
  const ground = { columnSlots, wanted, range: { start: range.start, end: lastSlot }, maxCombinations }
  const shape = largestShape(ground, job.startSlot, indices)
  return {
    ...job,
    count: shape.end - shape.start + 1,
    columns: shape.indices.flatMap((index) => coverage.columns[index] ?? [])
  }
}

const step = fc.record({
  head: fc.integer({ min: 0, max: 400 }),
  start: fc.integer({ min: 0, max: 120 }),
  came: fc.double({ min: 0, max: 1, noNaN: true }),
  succeeded: fc.boolean(),
  later: fc.integer({ min: 0, max: 200_000 })
})
const limits = fc.record({
  maxColumns: fc.integer({ min: 1, max: 20 }),
  maxSlots: fc.integer({ min: 1, max: 128 }),
  preferUntested: fc.boolean(),
  retryFailures: fc.boolean()
})

/** No job leaves the range, over random histories of heads that come, fall back and grow. */
const staysInside = (rule: Rule) =>
  fc.property(fc.array(step, { minLength: 40, maxLength: 120 }), limits, fc.nat(), (steps, limits, seed) => {
    const over = { ...options, ...limits }
    const coverage = coverageOf(claimsFor(columns, new Map([[126, 90]])), { start: 0, end: 400 }, over)
    const random = lcg(seed)
    const columnSlots = wordsOf((slot) => slot % 7 !== 3)
    let now = 1_000_000
    for (const [turn, { came, head, later, start, succeeded }] of steps.entries()) {
      now += later
      const within = { start, end: head }
      const job = Option.getOrUndefined(
        rule(input(within, { coverage, columnSlots, options: over, turn, now, random }))
      )
      if (job === undefined) continue
      assert.isTrue(job.startSlot >= start && job.count >= 1, `${job.startSlot} below ${start}`)
      assert.isAtMost(job.startSlot + job.count - 1, head)
      const answered = allOf(job, columnSlots, succeeded)
      coverage.add(answered.slice(0, Math.ceil(answered.length * came)), now)
    }
  })

describe("whatever was tested, and however the range moves", () => {
  /** The jobs of a covered peer whose head is in the middle of a tile. */
  const retests = (rule: Rule) => {
    const within = { start: 64, end: 131 }
    const coverage = coverageOf(claimsFor(columns), within)
    coverage.add(
      allOf({ peerId: "", startSlot: 64, count: 68, columns }, () => -1, true),
      1000
    )
    const asked = [1, 2, 3].map((turn) => {
      const job = Option.getOrThrow(rule(input(within, { coverage, turn, now: 2000 })))
      coverage.add(
        allOf(job, () => -1, true),
        2000 + turn * 1000
      )
      return [job.startSlot, job.startSlot + job.count - 1]
    })
    return asked.toSorted(([a = 0], [b = 0]) => a - b)
  }

  it("re-tests no slot past the range", () => {
    const inside = [
      [64, 95],
      [96, 127]
    ]
    assert.deepStrictEqual(retests(nextJob), [...inside, [128, 131]])
    assert.deepStrictEqual(retests(oldRule), [...inside, [128, 159]])
  })

  it("no job leaves the range", () => {
    fc.assert(staysInside(nextJob), { seed: 7, numRuns: 100 })
  })

  it("which would find a rule that goes on to the end of the tile", () => {
    const { counterexample, failed } = fc.check(staysInside(oldRule), { seed: 7, numRuns: 100, endOnFailure: true })
    assert.isTrue(failed)
    assert.isNotNull(counterexample)
  })
})

describe("what is suspected, and asked for again by itself", () => {
  const anyColumn = fc.nat(columns.length - 1)
  const places = (maxLength: number) => fc.array(fc.tuple(fc.integer({ min: 30, max: 139 }), anyColumn), { maxLength })

  const slotOf = (one: string): string => one.split("/")[0] ?? ""
  const suspectedAt = ([slot, found]: readonly [string, ReadonlyArray<string>]): SuspectedSlot => ({
    slot: Number(slot),
    blockRoot: "0x",
    columns: found.map((one) => ({ column: Number(one.split("/")[1]), suspicion: "missing", reason: "" })),
    since: 0,
    attempts: 0,
    askAgainAt: 0
  })

  it("is in no job, and while something untested is left besides, nothing is tested again", () => {
    const range = { start: 40, end: 131 }
    const columnSlots = wordsOf((slot) => slot % 5 !== 2)
    let withNothingLeft = 0
    fc.assert(
      fc.property(
        fc.record({
          left: places(12),
          suspected: places(30),
          // Everything that is untested before it is suspected too.
          suspectedBelow: fc.constantFrom(0, 64, 96, 140),
          failed: places(3),
          maxSlots: fc.constantFrom(8, 32, 128),
          turn: fc.nat(20),
          seed: fc.nat()
        }),
        ({ failed, left, maxSlots, seed, suspected, suspectedBelow, turn }) => {
          const over = { ...options, maxSlots }
          const coverage = coverageOf(claimsFor(columns), range, over)
          const isLeft = new Set(left.map(([slot, index]) => `${slot}/${columns[index]}`))
          const aside = new Set(suspected.map(([slot, index]) => `${slot}/${columns[index]}`))
          for (const one of isLeft) if (Number(slotOf(one)) < suspectedBelow) aside.add(one)
          const all = combinations({ peerId: "", startSlot: 0, count: 160, columns }, columnSlots)
          const tested = all.filter(({ column, slot }) => !isLeft.has(`${slot}/${column}`))
          coverage.add(
            tested.map((one) => ({ ...one, succeeded: true })),
            900_000
          )
          coverage.add(
            failed.flatMap(([slot, index]) => {
              const column = columns[index] ?? -1
              return isLeft.has(`${slot}/${column}`) || slot % 5 === 2 ? [] : [{ slot, column, succeeded: false }]
            }),
            999_000
          )
          const job = Option.getOrThrow(
            nextJob(
              input(range, {
                coverage,
                columnSlots,
                options: over,
                turn,
                random: lcg(seed),
                aside: setAside(suspicionsOf(Object.entries(Arr.groupBy(aside, slotOf)).map(suspectedAt)))
              })
            )
          )
          const asked = combinations(job, columnSlots).map(({ column, slot }) => `${slot}/${column}`)
          assert.isNotEmpty(asked)
          for (const one of asked) assert.isFalse(aside.has(one), `${one} is suspected`)
          const open = all.filter(
            ({ column, slot }) =>
              slot >= range.start &&
              slot <= range.end &&
              isLeft.has(`${slot}/${column}`) &&
              !aside.has(`${slot}/${column}`)
          )
          if (open.length === 0) withNothingLeft++
          else for (const one of asked) assert.isTrue(isLeft.has(one), `${one} was tested`)
        }
      ),
      { seed: 9, numRuns: 300 }
    )
    assert.isTrue(withNothingLeft > 50 && withNothingLeft < 250, `${withNothingLeft}`)
  })
})
