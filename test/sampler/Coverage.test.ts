import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { claimsFor, coverageOf, wordsOf } from "./Fixture.ts"

const slots = 160

type Step =
  | {
      readonly kind: "add"
      readonly slot: number
      readonly count: number
      readonly columns: number
      readonly succeeded: boolean
    }
  | { readonly kind: "forget"; readonly slot: number }
  | { readonly kind: "advance"; readonly slot: number }

const slot = fc.nat(slots - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      slot,
      count: fc.nat(40),
      columns: fc.nat(255),
      succeeded: fc.boolean()
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), slot }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("advance" as const), slot: fc.nat(90) }) }
)

describe("Coverage", () => {
  it("remembers what a plain table would, whatever happens", () => {
    fc.assert(
      fc.property(
        fc.record({
          steps: fc.array(step, { maxLength: 25 }),
          width: fc.integer({ min: 1, max: 8 }),
          joined: fc.nat(slots),
          start: fc.nat(slots - 1)
        }),
        ({ joined, start, steps, width }) => {
          const columns = [0, 3, 9, 27, 31, 64, 99, 127]
          const claims = claimsFor(columns, new Map([[31, joined]]))
          const all = { start: 0, end: slots - 1 }
          const coverage = coverageOf(claims, all, {
            maxColumns: width,
            maxSlots: 32,
            maxCombinations: 512,
            slotBias: "uniform",
            preferUntested: true,
            retryFailures: true,
            retryAfterMs: 0
          })
          const table = new Map<string, boolean>()
          for (const [at, one] of steps.entries()) {
            switch (one.kind) {
              case "add": {
                const outcomes = Array.from({ length: one.count }, (_, index) => one.slot + index)
                  .filter((slot) => slot < slots)
                  .flatMap((slot) =>
                    columns
                      .filter(
                        (column, index) => (one.columns & (1 << index)) !== 0 && (column !== 31 || slot >= joined)
                      )
                      .map((column) => ({ slot, column, succeeded: one.succeeded }))
                  )
                coverage.add(outcomes, at * 1000)
                for (const { column, slot, succeeded } of outcomes) table.set(`${slot}/${column}`, succeeded)
                break
              }
              case "forget":
                coverage.forget(one.slot)
                for (const column of columns) table.delete(`${one.slot}/${column}`)
                break
              case "advance":
                coverage.advance(Math.floor(one.slot / 32))
                for (const key of table.keys()) {
                  if (Number(key.split("/")[0]) < Math.floor(one.slot / 32) * 32) table.delete(key)
                }
            }
            // What lies before the place that it was advanced to is not taken in again.
            const advanced = Math.max(
              0,
              ...steps.slice(0, at + 1).map((past) => (past.kind === "advance" ? Math.floor(past.slot / 32) * 32 : 0))
            )
            for (const key of table.keys()) if (Number(key.split("/")[0]) < advanced) table.delete(key)
          }
          for (let slot = 0; slot < slots; slot++) {
            const [tile, bit] = [Math.floor(slot / 32), 1 << (slot & 31)]
            for (const [index, column] of columns.entries()) {
              if (column === 31 && slot < joined) continue
              const known = table.get(`${slot}/${column}`)
              const place = `slot ${slot}, column ${column}`
              assert.strictEqual((coverage.tested(tile, index) & bit) !== 0, known !== undefined, place)
              assert.strictEqual((coverage.failed(tile, index) & bit) !== 0, known === false, place)
            }
            const owedNow = columns.filter((column) => column !== 31 || slot >= joined)
            assert.strictEqual(
              (coverage.done(tile) & bit) !== 0,
              owedNow.every((column) => table.has(`${slot}/${column}`)),
              `done ${slot}`
            )
          }
          const columnSlots = wordsOf((slot) => slot % 4 !== 1)
          const within = [...table].filter(([key]) => {
            const slot = Number(key.split("/")[0])
            return slot >= start && slot % 4 !== 1
          })
          const counts = coverage.count({ start, end: slots - 1 }, columnSlots)
          assert.strictEqual(counts.tested, within.length)
          assert.strictEqual(counts.failed, within.filter(([, succeeded]) => !succeeded).length)
        }
      ),
      { seed: 8, numRuns: 150 }
    )
  })
})
