import { assert, describe, it } from "@effect/vitest"
import { columnsOf, makePendingBlocks } from "../../src/arrival/PendingBlocks.ts"

const peer = { peerId: "one", client: "teku" } as const
const arrival = (root: string, column: number, more: { readonly slot?: number; readonly ms?: number } = {}) => ({
  slot: more.slot ?? 5,
  root,
  blobs: 2,
  column,
  ms: more.ms ?? 100,
  peer
})

describe("arrivals that wait to be written", () => {
  it("are bounded: the oldest go, and are counted", () => {
    const pending = makePendingBlocks()
    for (let at = 0; at < 4100; at++) pending.arrive(arrival(`${at}`, 0, { slot: at }))
    assert.deepStrictEqual([pending.takeLost(), pending.takeLost()], [4, 0])
    const taken = pending.takeUpTo(4099)
    assert.deepStrictEqual([taken.length, taken[0]?.root], [4096, "4"])
    assert.deepStrictEqual(pending.takeUpTo(Infinity), [])
  })

  it("forget the copies of what is never accepted", () => {
    const pending = makePendingBlocks()
    pending.again("old", 1)
    for (let at = 0; at < 4096; at++) pending.again(`${at}`, 1)
    pending.arrive(arrival("old", 1))
    pending.arrive(arrival("4095", 1))
    assert.deepStrictEqual(
      pending.takeUpTo(5).map((block) => columnsOf(block, new Set())[0]?.arrival?.duplicates),
      [0, 1]
    )
  })

  it("go back with what has come meanwhile, each column once", () => {
    const pending = makePendingBlocks()
    pending.arrive(arrival("a", 1, { ms: 10 }))
    const [block] = pending.takeUpTo(5)
    if (block === undefined) return assert.fail("nothing was taken")
    assert.isTrue(pending.arrive(arrival("a", 1, { ms: 900 })))
    pending.again("a", 1)
    pending.arrive(arrival("a", 2, { ms: 950 }))
    pending.putBack(block)
    const [whole, ...others] = pending.takeUpTo(5)
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(columnsOf(whole, new Set([2, 3])), [
      { column: 1, isSubscribed: false, arrival: { ms: 10, peer, duplicates: 2 } },
      { column: 2, isSubscribed: true, arrival: { ms: 950, peer, duplicates: 0 } },
      { column: 3, isSubscribed: true, arrival: null }
    ])
  })
})
