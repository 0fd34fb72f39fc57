import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { decodeArrivals, encodeArrivals } from "../../../src/domain/arrival/ArrivalCodec.ts"
import { type ArrivedColumn, mergeArrivals } from "../../../src/domain/arrival/BlockArrivals.ts"
import { decodeVarints, encodeVarints } from "../../../src/domain/arrival/Varints.ts"

const arrival = FastCheck.record({
  ms: FastCheck.integer({ min: -1_800_000, max: 1_800_000 }),
  peer: FastCheck.nat(),
  duplicates: FastCheck.nat({ max: 1_000_000 })
})
const columns: FastCheck.Arbitrary<ReadonlyArray<ArrivedColumn<number>>> = FastCheck.uniqueArray(
  FastCheck.oneof(
    FastCheck.record({ column: FastCheck.nat({ max: 127 }), isSubscribed: FastCheck.boolean(), arrival }),
    FastCheck.record({
      column: FastCheck.nat({ max: 127 }),
      isSubscribed: FastCheck.constant(true),
      arrival: FastCheck.constant(null)
    })
  ),
  { selector: ({ column }) => column, maxLength: 128 }
).map((entries) => entries.sort((a, b) => a.column - b.column))

describe("arrivals on disk", () => {
  it("come back as they were written", () => {
    FastCheck.assert(
      FastCheck.property(columns, (entries) => {
        assert.deepStrictEqual(decodeArrivals(encodeArrivals(entries)), entries)
      }),
      { seed: 7, numRuns: 500 }
    )
  })

  it("are read from no other bytes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = decodeArrivals(bytes)
        if (read !== undefined) assert.deepStrictEqual(decodeArrivals(encodeArrivals(read))?.length, read.length)
      }),
      { seed: 7, numRuns: 2000 }
    )
    for (const bytes of [[], [2], [1, 128], [1, 0], [1, 0, 5, 3], [1, 128, 1, 0]]) {
      assert.isUndefined(decodeArrivals(Uint8Array.from(bytes)), bytes.join())
    }
    assert.deepStrictEqual(decodeArrivals(Uint8Array.of(1)), [])
  })

  it("take six bytes a column", () => {
    const all = Array.from({ length: 128 }, (_, column) => ({
      column,
      isSubscribed: true,
      arrival: { ms: 900 + 20 * column, peer: 4000 + column, duplicates: 7 }
    }))
    assert.isAtMost(encodeArrivals(all).length, 1 + 6 * 128)
  })

  it("are kept within bounds", () => {
    const beyond = (ms: number) => [{ column: 3, isSubscribed: true, arrival: { ms, peer: 1, duplicates: 1e9 } }]
    const read = [1e12, -1e12].map((ms) => decodeArrivals(encodeArrivals(beyond(ms)))?.[0]?.arrival)
    assert.deepStrictEqual(read, [
      { ms: 1_800_000, peer: 1, duplicates: 1_000_000 },
      { ms: -1_800_000, peer: 1, duplicates: 1_000_000 }
    ])
  })

  it("are merged to the first of each column, all further copies counted", () => {
    const entry = (column: number, arrival: ArrivedColumn<number>["arrival"], isSubscribed = true) => ({
      column,
      isSubscribed,
      arrival
    })
    const first = { ms: 10, peer: 1, duplicates: 2 }
    const second = { ms: 900, peer: 2, duplicates: 3 }
    assert.deepStrictEqual(
      mergeArrivals(
        [entry(1, first), entry(2, null), entry(4, first, false)],
        [entry(0, second, false), entry(1, second), entry(2, second, false), entry(4, null)]
      ),
      [entry(0, second, false), entry(1, { ms: 10, peer: 1, duplicates: 6 }), entry(2, second), entry(4, first)]
    )
  })

  it("are made of varints, as long as they must be", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.maxSafeNat()), (values) => {
        assert.deepStrictEqual(decodeVarints(encodeVarints(values)), values)
      }),
      { seed: 7 }
    )
    assert.deepStrictEqual([...encodeVarints([0, 127, 128, 300])], [0, 127, 128, 1, 172, 2])
    assert.isUndefined(decodeVarints(new Uint8Array(9).fill(255)))
  })
})
