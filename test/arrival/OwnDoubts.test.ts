import { assert, describe, it } from "@effect/vitest"
import { makeOwnDoubts } from "../../src/arrival/OwnDoubts.ts"

describe("what came and was not judged", () => {
  it("is of one column of one block, or of all blocks of its time on a topic", () => {
    const doubts = makeOwnDoubts()
    doubts.ofColumn("0xa", 5)
    doubts.ofTopic(10, 6)
    const mayHaveCome = (slot: number, root: string) =>
      [5, 6, 7].filter((column) => doubts.mayHaveCome({ slot, root }, column))
    assert.deepStrictEqual(mayHaveCome(10, "0xa"), [5, 6])
    assert.deepStrictEqual(mayHaveCome(9, "0xb"), [6], "one of the slot before may come late")
    assert.deepStrictEqual(mayHaveCome(11, "0xb"), [])
    assert.deepStrictEqual(mayHaveCome(8, "0xb"), [])
  })

  it("is bounded, however much strangers make up", () => {
    const doubts = makeOwnDoubts()
    doubts.ofColumn("0xold", 5)
    for (let at = 0; at < 8192; at++) doubts.ofColumn(`0x${at}`, 5)
    assert.isFalse(doubts.mayHaveCome({ slot: 1, root: "0xold" }, 5))
    assert.isTrue(doubts.mayHaveCome({ slot: 1, root: "0x0" }, 5))
  })
})
