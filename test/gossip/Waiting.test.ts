import { assert, describe, it } from "@effect/vitest"
import type { Asker } from "../../src/gossip/Asker.ts"
import { makeHeaderPlaces } from "../../src/gossip/HeaderPlaces.ts"
import { makeStanding } from "../../src/gossip/Standing.ts"
import { makeWaiting } from "../../src/gossip/Waiting.ts"

const peer = (peer: string, isProven = false): Asker => ({ _tag: "Peer", peer, isProven })
const signed: Asker = { _tag: "Signed", proposerIndex: 7 }
const numbers = (length: number) => Array.from({ length }, (_, at) => at)

describe("columns that wait", () => {
  it("of strangers leave places for whose columns were accepted, and for what is signed", () => {
    const waiting = makeWaiting()
    const take = (from: string, block: string, asker: Asker) => waiting.take(from, block, asker) !== undefined
    const first = numbers(300).filter(() => take("a", "0xa", peer("a"))).length
    assert.isTrue(first >= 128 && first <= 192, "all columns of a block")
    for (const at of numbers(1000)) take(`s${at % 100}`, "0xb", peer(`s${at % 100}`))
    assert.isFalse(take("new", "0xb", peer("new")))
    assert.isTrue(take("good", "0xb", peer("good", true)))
    for (const at of numbers(1000)) take(`p${at % 100}`, "0xb", peer(`p${at % 100}`, true))
    assert.strictEqual(numbers(300).filter(() => take("new", "0xc", signed)).length, 128)
  })

  it("give their places back", () => {
    const waiting = makeWaiting()
    for (let round = 0; round < 10; round++) {
      const taken = numbers(128).map((at) => waiting.take(`s${at % 10}`, "0xa", round % 2 === 0 ? signed : peer("s")))
      assert.isFalse(taken.includes(undefined), `round ${round}`)
      for (const release of taken) release?.()
    }
  })
})

describe("places of headers", () => {
  it("are three for each, and half of them for whose columns were accepted", () => {
    const places = makeHeaderPlaces(20)
    const count = (asker: Asker) => numbers(5).filter(() => places.take(asker) !== undefined).length
    assert.strictEqual(count(peer("a")), 3)
    assert.strictEqual(
      numbers(10).reduce((sum, at) => sum + count(peer(`s${at}`)), 0),
      7
    )
    assert.strictEqual(count(peer("good", true)), 3)
    assert.strictEqual(count(signed), 3)
  })

  it("are given back", () => {
    const places = makeHeaderPlaces(4)
    for (let round = 0; round < 10; round++) {
      const taken = numbers(2).map(() => places.take(peer("a")))
      assert.isFalse(taken.includes(undefined))
      for (const release of taken) release?.()
    }
  })
})

describe("a peer's standing", () => {
  it("comes from what was accepted, and goes with what was waited for in vain", () => {
    const standing = makeStanding()
    assert.isFalse(standing.isProven("a"))
    for (let column = 0; column < 100; column++) standing.accepted("a")
    standing.inVain("a")
    assert.isTrue(standing.isProven("a"))
    for (let column = 0; column < 8; column++) standing.inVain("a")
    assert.isFalse(standing.isProven("a"))
    standing.accepted("a")
    assert.isTrue(standing.isProven("a"))
  })

  it("is kept of a bounded number", () => {
    const standing = makeStanding()
    for (let peer = 0; peer < 5000; peer++) standing.accepted(`${peer}`)
    assert.isFalse(standing.isProven("0"))
    assert.isTrue(standing.isProven("4999"))
  })
})
