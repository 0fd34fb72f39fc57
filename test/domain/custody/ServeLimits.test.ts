import { assert, describe, it } from "@effect/vitest"
import { unitsByRange, unitsByRoot } from "../../../src/domain/peer/ClientLimits.ts"
import { makeServeLimits } from "../../../src/domain/custody/ServeLimits.ts"

const plenty = { bytesPerSecond: 2 ** 30, dailyBytes: Infinity }
const second = 1000
/** Each at a host of its own. */
const alone = (peerId: string) => ({ peerId, host: `host of ${peerId}` })

describe("what peers may have of us", () => {
  it("is at once what Prysm gives at once, and comes back as fast as there", () => {
    const limits = makeServeLimits(plenty)
    for (let n = 0; n < 16; n++) {
      assert.deepStrictEqual(limits.admit(alone("a"), unitsByRange(8, 127), n), { _tag: "Admitted", afterMs: 0 })
    }
    // 16 of 1,024 units are all that there is.
    assert.strictEqual(limits.admit(alone("a"), 1024, 16)._tag, "Refused")
    assert.deepStrictEqual(limits.admit(alone("b"), 1024, 16), { _tag: "Admitted", afterMs: 0 })
    assert.deepStrictEqual(limits.admit(alone("a"), 1024, 10 * second), { _tag: "Admitted", afterMs: 0 })
  })

  it("waits a little rather than to be refused", () => {
    const limits = makeServeLimits(plenty)
    for (let n = 0; n < 20; n++)
      assert.deepStrictEqual(limits.admit(alone("a"), 1, 0), { _tag: "Admitted", afterMs: 0 })
    assert.deepStrictEqual(limits.admit(alone("a"), 1, 0), { _tag: "Admitted", afterMs: 200 })
  })

  it("does not refuse a peer that asks in every slot for all columns of its epoch, or of a block by root", () => {
    const limits = makeServeLimits(plenty)
    for (let slot = 0; slot < 1000; slot++) {
      const now = slot * 12 * second
      assert.strictEqual(limits.admit(alone("range"), unitsByRange(32, 8), now)._tag, "Admitted")
      assert.strictEqual(limits.admit(alone("root"), unitsByRoot(4, 128), now)._tag, "Admitted")
    }
  })

  it("is so many bytes a second over all, a quarter for one, and so many a day", () => {
    const limits = makeServeLimits({ bytesPerSecond: 1000, dailyBytes: 16 * 64_000 })
    assert.strictEqual(limits.send(alone("a"), 250, 0), 0)
    assert.strictEqual(limits.send(alone("a"), 250, 0), second)
    assert.strictEqual(limits.send(alone("b"), 250, 0), 0)
    assert.strictEqual(limits.send(alone("c"), 250, 0), 0)
    // What one waits for is charged at once: the next of all waits for that too.
    assert.strictEqual(limits.send(alone("d"), 250, 0), 250)
    assert.strictEqual(limits.admit(alone("a"), 1, 1)._tag, "Admitted")
    for (let n = 0; n < 7; n++) limits.send(alone("a"), 250, n * second)
    const refused = limits.admit(alone("a"), 1, 7 * second)
    assert.deepStrictEqual(refused, { _tag: "Refused", reason: "rate limited: the bytes of the day are spent" })
    assert.strictEqual(limits.admit(alone("b"), 1, 7 * second)._tag, "Admitted")
    assert.strictEqual(limits.admit(alone("a"), 1, 86_400 * second)._tag, "Admitted")
  })

  it("is still something for those who have had little, when others have spent the day", () => {
    const limits = makeServeLimits({ bytesPerSecond: 2 ** 30, dailyBytes: 16 * 32_000 })
    let spent = 0
    // As many greedy identities as it takes: each goes on for as long as it is admitted.
    for (let n = 0; n < 64; n++) {
      for (; limits.admit(alone(`greedy ${n}`), 1, 0)._tag === "Admitted"; spent += 100)
        limits.send(alone(`greedy ${n}`), 100, 0)
      assert.isAtMost(spent, (n + 1) * 1000, "no more than a 32nd each")
    }
    assert.isAtMost(spent, 32_000)
    const busy = makeServeLimits({ bytesPerSecond: 2 ** 30, dailyBytes: 16 * 32_000 })
    busy.send(alone("not modest"), 600, 0)
    for (let n = 0; n < 24; n++) busy.send(alone(`greedy ${n}`), 1000, 0)
    assert.strictEqual(busy.admit(alone("not modest"), 1, 0)._tag, "Refused")
    assert.strictEqual(busy.admit(alone("modest"), 1, 0)._tag, "Admitted")
  })

  it("is no more for forty identities of one host than for four of several", () => {
    const limits = makeServeLimits({ bytesPerSecond: 2 ** 30, dailyBytes: 16 * 32_000 })
    const at = (host: string | undefined) => (n: number) => ({ peerId: `${host} ${n}`, host })
    const drain = (guest: (n: number) => { peerId: string; host: string | undefined }) => {
      let spent = 0
      for (let n = 0; n < 40; n++) {
        for (; limits.admit(guest(n), 1, 0)._tag === "Admitted"; spent += 100) limits.send(guest(n), 100, 0)
      }
      return spent
    }
    assert.strictEqual(drain(at("192.0.2.1")), 4000)
    assert.strictEqual(limits.admit(alone("somebody else"), 1, 0)._tag, "Admitted")
    // Who is behind a proxy cannot be told apart by host: there each identity counts.
    assert.isAtLeast(drain(at(undefined)), 20_000)
    // Now only those have something who had little; at a host that had much nobody is one of them.
    const busy = makeServeLimits({ bytesPerSecond: 2 ** 30, dailyBytes: 16 * 32_000 })
    for (let n = 0; n < 3; n++) busy.send({ peerId: `${n}`, host: "192.0.2.2" }, 700, 0)
    for (let n = 0; n < 24; n++) busy.send(alone(`greedy ${n}`), 1000, 0)
    assert.strictEqual(busy.admit({ peerId: "fresh", host: "192.0.2.2" }, 1, 0)._tag, "Refused")
    assert.strictEqual(busy.admit({ peerId: "fresh", host: "192.0.2.3" }, 1, 0)._tag, "Admitted")
  })

  it("is half of the bytes of a second for one host", () => {
    const limits = makeServeLimits({ bytesPerSecond: 1000, dailyBytes: Infinity })
    const at = (peerId: string) => ({ peerId, host: "192.0.2.1" })
    assert.deepStrictEqual(
      ["a", "b", "c"].map((peerId) => limits.send(at(peerId), 250, 0)),
      [0, 0, second / 2]
    )
    assert.strictEqual(limits.send(alone("d"), 250, 0), 0)
  })

  it("is all that there is for a request of everything, which is 128 slots of 128 columns", () => {
    const limits = makeServeLimits(plenty)
    assert.deepStrictEqual(limits.admit(alone("a"), unitsByRange(128, 128), 0), { _tag: "Admitted", afterMs: 0 })
    assert.strictEqual(limits.admit(alone("a"), unitsByRange(128, 128), second)._tag, "Refused")
    assert.strictEqual(limits.admit(alone("a"), unitsByRange(128, 128), 130 * second)._tag, "Admitted")
  })
})
