import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { chooseGuests, type GuestLimits } from "../../../src/peers/set/ChooseGuests.ts"
import { columnSet } from "../../../src/peers/set/ColumnSet.ts"
import { candidate, columnsUpTo, member } from "./SomePeers.ts"

const limits = (columns: ReadonlyArray<number>, over: Partial<GuestLimits> = {}): GuestLimits => ({
  columns: columnSet(columns),
  dialsAtOnce: 16,
  most: 8,
  mostGuests: 32,
  target: 4,
  ...over
})

describe("peers that are dialled because somebody wants columns", () => {
  it("are those who owe the most of them, and for each column one before any has two", () => {
    const candidates = [
      candidate("none of them", [90]),
      candidate("two", [1, 2]),
      candidate("two again", [1, 2]),
      candidate("super", columnsUpTo(128)),
      candidate("three", [1, 2, 3])
    ]
    const { areMore, dial } = chooseGuests([], candidates, limits(columnsUpTo(8)))
    assert.deepStrictEqual(dial, ["super", "three", "two", "two again"])
    assert.isFalse(areMore)
    const parts = [candidate("a", [1, 2, 3]), candidate("b", [2, 3]), candidate("c", [4, 90])]
    assert.deepStrictEqual(chooseGuests([], parts, limits(columnsUpTo(8))).dial, ["a", "c", "b"])
  })

  it("are of equal ones those who were reached before, who can be relied on, and who were touched the longest ago", () => {
    const candidates = [
      candidate("lately", [1], { touchedAt: 9 }),
      candidate("long ago", [1], { touchedAt: 1 }),
      candidate("good", [1], { touchedAt: 99, score: 0.9 }),
      candidate("reached", [1], { isReachable: true, touchedAt: 99 })
    ]
    assert.deepStrictEqual(chooseGuests([], candidates, limits([1])).dial, ["reached", "good", "long ago", "lately"])
  })

  it("are no more than may be dialled, and it is said that there are more", () => {
    const candidates = columnsUpTo(40).map((n) => candidate(`c${n}`, [1]))
    const dialling = columnsUpTo(14).map((n) => member(`m${n}`, [], { isConnected: false, isDialling: true }))
    const few = chooseGuests(dialling, candidates, limits([1]))
    assert.deepStrictEqual([few.dial.length, few.areMore], [2, true])
    const full = columnsUpTo(35).map((n) => member(`m${n}`, []))
    assert.strictEqual(chooseGuests(full, candidates, limits([1])).dial.length, 1)
    // Whoever came by himself, or is of the configuration, takes no place of theirs.
    const others = full.map((one) => ({ ...one, isChosen: false }))
    assert.strictEqual(chooseGuests(others, candidates, limits([1])).dial.length, 8)
  })

  it("are no more of one address than otherwise", () => {
    const places = [{ address: "192.0.2.1", prefix: "192.0.2.0/24" }]
    const candidates = columnsUpTo(8).map((n) => candidate(`c${n}`, [1], { places }))
    const { areMore, dial } = chooseGuests([], candidates, limits([1]))
    assert.deepStrictEqual([dial.length, areMore], [1, true])
    const held = columnsUpTo(4).map((n) => member(`m${n}`, [], { places }))
    assert.deepStrictEqual(chooseGuests(held, candidates, limits([1])).dial, [])
  })

  it("owe all columns between them that any of the candidates owes, if there may be so many", () => {
    const someColumns = FastCheck.uniqueArray(FastCheck.integer({ min: 0, max: 127 }), { maxLength: 12 })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(someColumns, { maxLength: 12 }), someColumns, (owed, wanted) => {
        const candidates = owed.map((columns, n) => candidate(`c${n}`, columns))
        const { areMore, dial } = chooseGuests([], candidates, limits(wanted, { most: 12 }))
        assert.isFalse(areMore)
        assert.strictEqual(new Set(dial).size, dial.length)
        const expected = owed.flatMap((columns, n) => (columns.some((c) => wanted.includes(c)) ? [`c${n}`] : []))
        assert.sameMembers([...dial], expected)
      })
    )
  })
})
