import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { fromHex } from "../../../src/domain/Bytes.ts"
import { columnsOfGroup, custodyColumns, custodyGroups } from "../../../src/domain/column/Custody.ts"
import { readVector } from "../network/Chains.ts"

const cases: ReadonlyArray<{
  readonly name: string
  readonly node_id_hex: string
  readonly custody_group_count: number
  readonly result: ReadonlyArray<number>
}> = readVector("custody/get_custody_groups.json")

const groups: ReadonlyArray<{ readonly custody_group: number; readonly columns: ReadonlyArray<number> }> = readVector(
  "custody/compute_columns_for_custody_group.json"
).cases

const nodeId = FastCheck.uint8Array({ minLength: 32, maxLength: 32 })

describe("custodyGroups", () => {
  it.each(cases)("get_custody_groups: $name", ({ custody_group_count, node_id_hex, result }) => {
    assert.deepStrictEqual(custodyGroups(fromHex(node_id_hex), custody_group_count), result)
  })

  it("goes on at zero after the greatest id", () => {
    assert.deepStrictEqual(custodyGroups(new Uint8Array(32).fill(255), 4), [1, 47, 87, 102])
    assert.deepStrictEqual(custodyGroups(new Uint8Array(32), 7), [1, 17, 19, 42, 75, 87, 102])
  })

  it("is distinct, ascending, within bounds, and only grows with the count", () => {
    FastCheck.assert(
      FastCheck.property(nodeId, FastCheck.nat(128), FastCheck.nat(128), (id, a, b) => {
        const few = custodyGroups(id, Math.min(a, b))
        const more = new Set(custodyGroups(id, Math.max(a, b)))
        assert.strictEqual(few.length, Math.min(a, b))
        assert.deepStrictEqual(
          few,
          [...new Set(few)].sort((x, y) => x - y)
        )
        assert.isTrue(few.every((group) => group >= 0 && group < 128 && more.has(group)))
      }),
      { seed: 1, numRuns: 100 }
    )
  })

  it("leaves the id as it was and refuses counts that cannot be", () => {
    const id = new Uint8Array(32).fill(255)
    custodyGroups(id, 8)
    assert.deepStrictEqual(id, new Uint8Array(32).fill(255))
    for (const count of [-1, 129, 1.5, Number.NaN]) assert.throws(() => custodyGroups(id, count), RangeError)
  })
})

describe("columns", () => {
  it.each(groups)("compute_columns_for_custody_group: $custody_group", ({ columns, custody_group }) => {
    assert.deepStrictEqual(columnsOfGroup(custody_group), columns)
  })

  it("every column belongs to exactly one group", () => {
    const all = Array.from({ length: 128 }, (_, group) => columnsOfGroup(group)).flat()
    assert.deepStrictEqual(
      all.sort((a, b) => a - b),
      Array.from({ length: 128 }, (_, column) => column)
    )
    assert.strictEqual(custodyColumns(new Uint8Array(32), 128).length, 128)
  })
})
