import { assert, describe, it } from "@effect/vitest"
import { sharesOf } from "../../../src/domain/arrival/ShareByTime.ts"

const columns = (delays: ReadonlyArray<number | null>, isSubscribed = true) =>
  delays.map((ms, column) => ({
    column,
    isSubscribed,
    arrival: ms === null ? null : { ms, peer: "", duplicates: 0 }
  }))

describe("how much of a block is there when", () => {
  it("goes by what was expected, to the millisecond", () => {
    assert.deepStrictEqual(sharesOf(columns([-5, 1000, 2000, 2001])), ["half", "half", "all", "all", "all"])
    assert.deepStrictEqual(sharesOf(columns([1500, 9000, null])), ["none", "some", "some", "some", "half"])
    assert.deepStrictEqual(sharesOf(columns([null])), ["none", "none", "none", "none", "none"])
    assert.deepStrictEqual(sharesOf(columns([100], false)), [])
    assert.deepStrictEqual(sharesOf([]), [])
  })
})
