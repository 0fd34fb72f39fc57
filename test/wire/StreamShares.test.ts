import { assert, describe, it } from "@effect/vitest"
import { makeStreamShares, takeOfAll } from "../../src/wire/StreamShares.ts"

/** Takes streams in a test's words, and keeps what became of them. */
const taking = (perIdentity: number, total: number) => {
  const shares = makeStreamShares({ perIdentity, total })
  const resets: Array<string> = []
  const take = (peerId: string, now = 0, name = peerId) => shares.take(peerId, now, () => resets.push(name))
  return { shares, resets, take }
}

describe("StreamShares", () => {
  it("gives each identity its share, again and again", () => {
    const { resets, take } = taking(2, 10)
    const first = take("a")
    assert.isDefined(first)
    assert.isDefined(take("a"))
    assert.isUndefined(take("a"))
    first?.release()
    first?.release()
    assert.isDefined(take("a"))
    assert.isUndefined(take("a"))
    assert.deepStrictEqual(resets, [])
  })

  it("prefers a newcomer to those who hold several, and never to those who hold one", () => {
    const { resets, take } = taking(4, 8)
    for (const peerId of ["a", "b"]) {
      for (let times = 0; times < 4; times++) take(peerId)?.asked()
    }
    // Everyone who comes gets in, as long as anyone has more.
    for (let index = 0; index < 6; index++) assert.isDefined(take(`newcomer ${index}`), `${index}`)
    assert.deepStrictEqual([...resets].sort(), ["a", "a", "a", "b", "b", "b"])
    for (let index = 0; index < 6; index++) assert.isUndefined(take(`late ${index}`))
    // Nor does one take a place of its own streams, or of one that has as few.
    assert.isUndefined(take("a"))
  })

  it("takes the place of a stream on which nothing was asked before that of one that waits for its answer", () => {
    const { resets, take } = taking(4, 4)
    take("a", 0, "a asked")?.asked()
    take("a", 0, "a silent")
    take("a", 0, "a asked too")?.asked()
    take("b", 0, "b")?.asked()
    assert.isDefined(take("c"))
    assert.deepStrictEqual(resets, ["a silent"])
  })

  it("is not full for long of identities that open one stream each and ask nothing", () => {
    const { resets, take } = taking(4, 3)
    take("a", 0)?.asked()
    take("b", 100)
    take("c", 200)
    assert.isUndefined(take("d", 1000))
    assert.isDefined(take("d", 1100))
    assert.deepStrictEqual(resets, ["b"])
    assert.isDefined(take("e", 1200))
    assert.deepStrictEqual(resets, ["b", "c"])
    assert.isUndefined(take("f", 2000))
  })

  it("counts a stream in all accounts or in none", () => {
    const own = makeStreamShares({ perIdentity: 4, total: 4 })
    const common = makeStreamShares({ perIdentity: 1, total: 4 })
    const held = takeOfAll([own, common], "a", 0, () => {})
    assert.isDefined(held)
    for (let times = 0; times < 10; times++) assert.isUndefined(takeOfAll([own, common], "a", 0, () => {}))
    held?.release()
    const again = Array.from({ length: 4 }, () => own.take("a", 0, () => {}))
    assert.isTrue(again.every((one) => one !== undefined))
    assert.isDefined(common.take("a", 0, () => {}))
  })
})
