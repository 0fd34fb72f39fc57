import { assert, describe, it } from "@effect/vitest"
import { makeAddressVotes } from "../../src/discovery/record/AddressVotes.ts"

describe("votes on our address", () => {
  it("have the address that most see lead, and its most common port", () => {
    const votes = makeAddressVotes()
    votes.vote("a", { host: "203.0.113.7", port: 9000 }, 0)
    votes.vote("b", { host: "203.0.113.8", port: 9000 }, 0)
    votes.vote("c", { host: "203.0.113.8", port: 9001 }, 0)
    votes.vote("d", { host: "203.0.113.8", port: 9001 }, 0)
    votes.vote("e", { host: "2001:db8::1", port: 9 }, 0)
    assert.deepStrictEqual(votes.leaders(0), [
      { host: "203.0.113.8", port: 9001, votes: 3 },
      { host: "2001:db8::1", port: 9, votes: 1 }
    ])
  })

  it("are one for each node, the last", () => {
    const votes = makeAddressVotes()
    for (let at = 0; at < 10; at++) votes.vote("a", { host: "203.0.113.7", port: 9000 }, at)
    votes.vote("a", { host: "203.0.113.8", port: 9000 }, 10)
    assert.deepStrictEqual(votes.leaders(10), [{ host: "203.0.113.8", port: 9000, votes: 1 }])
  })

  it("lapse after an hour, and are no more than a bound", () => {
    const votes = makeAddressVotes()
    votes.vote("a", { host: "203.0.113.7", port: 9000 }, 0)
    assert.strictEqual(votes.leaders(3_600_000).length, 1)
    assert.deepStrictEqual(votes.leaders(3_600_001), [])
    for (let node = 0; node < 1_000; node++) votes.vote(String(node), { host: "203.0.113.7", port: 9000 }, 0)
    assert.strictEqual(votes.leaders(0)[0]?.votes, 256)
  })
})
