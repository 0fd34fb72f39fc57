import { assert, describe, it } from "@effect/vitest"
import { dropOldest, setNewest } from "../../src/domain/Bounded.ts"

describe("Bounded", () => {
  it("forgets what was put first, of a map and of a set", () => {
    const map = new Map([1, 2, 3, 4].map((key) => [key, key]))
    dropOldest(map, 2)
    assert.deepStrictEqual([...map.keys()], [3, 4])
    const set = new Set(["a", "b", "c"])
    dropOldest(set, 1)
    assert.deepStrictEqual([...set], ["c"])
    dropOldest(set, 1)
    assert.deepStrictEqual([...set], ["c"])
  })

  it("takes a known key for the newest, and then forgets another", () => {
    const map = new Map<string, number>()
    setNewest(map, "a", 1, 2)
    setNewest(map, "b", 2, 2)
    setNewest(map, "a", 3, 2)
    setNewest(map, "c", 4, 2)
    assert.deepStrictEqual(
      [...map],
      [
        ["a", 3],
        ["c", 4]
      ]
    )
  })
})
