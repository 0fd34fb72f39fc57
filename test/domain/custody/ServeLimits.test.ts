import { assert, describe, it } from "@effect/vitest"
import { unitsByRange, unitsByRoot } from "../../../src/domain/peer/ClientLimits.ts"
import { makeServeLimits } from "../../../src/domain/custody/ServeLimits.ts"

const plenty = { bytesPerSecond: 2 ** 30, dailyBytes: Infinity }
const second = 1000

describe("what peers may have of us", () => {
  it("is at once what Prysm gives at once, and comes back as fast as there", () => {
    const limits = makeServeLimits(plenty)
    for (let n = 0; n < 16; n++) {
      assert.deepStrictEqual(limits.admit("a", unitsByRange(8, 127), n), { _tag: "Admitted", afterMs: 0 })
    }
    // 16 of 1,024 units are all that there is.
    assert.strictEqual(limits.admit("a", 1024, 16)._tag, "Refused")
    assert.deepStrictEqual(limits.admit("b", 1024, 16), { _tag: "Admitted", afterMs: 0 })
    assert.deepStrictEqual(limits.admit("a", 1024, 10 * second), { _tag: "Admitted", afterMs: 0 })
  })

  it("waits a little rather than to be refused", () => {
    const limits = makeServeLimits(plenty)
    for (let n = 0; n < 20; n++) assert.deepStrictEqual(limits.admit("a", 1, 0), { _tag: "Admitted", afterMs: 0 })
    assert.deepStrictEqual(limits.admit("a", 1, 0), { _tag: "Admitted", afterMs: 200 })
  })

  it("does not refuse a peer that asks in every slot for all columns of its epoch, or of a block by root", () => {
    const limits = makeServeLimits(plenty)
    for (let slot = 0; slot < 1000; slot++) {
      const now = slot * 12 * second
      assert.strictEqual(limits.admit("range", unitsByRange(32, 8), now)._tag, "Admitted")
      assert.strictEqual(limits.admit("root", unitsByRoot(4, 128), now)._tag, "Admitted")
    }
  })

  it("is so many bytes a second over all, a quarter for one, and so many a day", () => {
    const limits = makeServeLimits({ bytesPerSecond: 1000, dailyBytes: 16 * 64_000 })
    assert.strictEqual(limits.send("a", 250, 0), 0)
    assert.strictEqual(limits.send("a", 250, 0), second)
    assert.strictEqual(limits.send("b", 250, 0), 0)
    assert.strictEqual(limits.send("c", 250, 0), 0)
    // What one waits for is charged at once: the next of all waits for that too.
    assert.strictEqual(limits.send("d", 250, 0), 250)
    assert.strictEqual(limits.admit("a", 1, 1)._tag, "Admitted")
    for (let n = 0; n < 7; n++) limits.send("a", 250, n * second)
    const refused = limits.admit("a", 1, 7 * second)
    assert.deepStrictEqual(refused, { _tag: "Refused", reason: "rate limited: the bytes of the day are spent" })
    assert.strictEqual(limits.admit("b", 1, 7 * second)._tag, "Admitted")
    assert.strictEqual(limits.admit("a", 1, 86_400 * second)._tag, "Admitted")
  })

  it("is still something for those who have had little, when others have spent the day", () => {
    const limits = makeServeLimits({ bytesPerSecond: 2 ** 30, dailyBytes: 16 * 32_000 })
    let spent = 0
    // As many greedy identities as it takes: each goes on for as long as it is admitted.
    for (let n = 0; n < 64; n++) {
      for (; limits.admit(`greedy ${n}`, 1, 0)._tag === "Admitted"; spent += 100) limits.send(`greedy ${n}`, 100, 0)
      assert.isAtMost(spent, (n + 1) * 1000, "no more than a 32nd each")
    }
    assert.isAtMost(spent, 32_000)
    const busy = makeServeLimits({ bytesPerSecond: 2 ** 30, dailyBytes: 16 * 32_000 })
    busy.send("not modest", 600, 0)
    for (let n = 0; n < 24; n++) busy.send(`greedy ${n}`, 1000, 0)
    assert.strictEqual(busy.admit("not modest", 1, 0)._tag, "Refused")
    assert.strictEqual(busy.admit("modest", 1, 0)._tag, "Admitted")
  })

  it("is all that there is for a request of everything, which is 128 slots of 128 columns", () => {
    const limits = makeServeLimits(plenty)
    assert.deepStrictEqual(limits.admit("a", unitsByRange(128, 128), 0), { _tag: "Admitted", afterMs: 0 })
    assert.strictEqual(limits.admit("a", unitsByRange(128, 128), second)._tag, "Refused")
    assert.strictEqual(limits.admit("a", unitsByRange(128, 128), 130 * second)._tag, "Admitted")
  })
})
