import { assert, describe, it } from "@effect/vitest"
import { makeGossipShares } from "../../../src/host/libp2p/GossipShares.ts"

describe("what each peer may send over gossip", () => {
  it("is a share of its own, that nobody else uses up", () => {
    const shares = makeGossipShares()
    const flood = Array.from({ length: 100 }, () => shares("flooding", 100, 0)).reduce((sum, one) => sum + one, 0)
    assert.strictEqual(flood, 512)
    assert.strictEqual(shares("flooding", 1, 0), 0)
    assert.strictEqual(shares("honest", 128, 0), 128)
  })

  it("comes back with time: all columns of a block every two seconds are always let through", () => {
    const shares = makeGossipShares()
    for (let block = 0; block < 100; block++) assert.strictEqual(shares("honest", 128, block * 2_000), 128)
  })

  it("is bounded, however many identities come by", () => {
    const shares = makeGossipShares()
    assert.strictEqual(shares("first", 512, 0), 512)
    for (let peer = 0; peer < 5_000; peer++) shares(`peer ${peer}`, 1, 0)
    assert.strictEqual(shares("first", 512, 0), 512)
  })
})
