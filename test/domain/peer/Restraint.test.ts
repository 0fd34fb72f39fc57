import { assert, describe, it } from "@effect/vitest"
import {
  isTooMuch,
  levelAt,
  mostUnits,
  type Restraint,
  spacingMs,
  unrestrained,
  withRefusal
} from "../../../src/domain/peer/Restraint.ts"
import { goodbyeRefusal, refusalOf } from "../../../src/wire/Refusal.ts"

const intervalMs = 10_000
const hour = 3_600_000

describe("a peer that says that it is asked too much", () => {
  it("is asked 256 times less, which doubles every six hours and is over within a day", () => {
    const once = withRefusal(unrestrained, intervalMs, 1000)
    const at = (hours: number) => {
      const now = 1000 + hours * hour
      return [mostUnits(once, now), spacingMs(once, intervalMs, now)]
    }
    assert.deepStrictEqual([0, 6, 12, 18, 24].map(at), [
      [64, 160_000],
      [128, 80_000],
      [256, 40_000],
      [512, 20_000],
      [Infinity, 10_000]
    ])
  })

  it("is asked less with each further refusal, but never nothing, and once an hour", () => {
    let restraint: Restraint = unrestrained
    let now = 0
    const pauses: Array<number> = []
    for (let refusal = 0; refusal < 12; refusal++) {
      restraint = withRefusal(restraint, intervalMs, now)
      pauses.push(spacingMs(restraint, intervalMs, now) / 1000)
      assert.isAtLeast(mostUnits(restraint, now), 9)
      now += spacingMs(restraint, intervalMs, now)
    }
    assert.strictEqual(pauses[0], 160)
    assert.strictEqual(Math.max(...pauses), 3600)
    for (const [index, pause] of pauses.slice(1).entries()) assert.isAtLeast(pause, pauses[index] ?? Infinity)
    // Prysm bans at five strikes, and takes one back every hour, whenever that hour begins.
    const refusedAt = pauses.map((_, index) => pauses.slice(0, index).reduce((sum, pause) => sum + pause, 0))
    for (let phase = 0; phase < 3600; phase += 60) {
      let strikes = 0
      let ticks = 0
      for (const at of refusedAt) {
        const due = Math.floor((at + phase) / 3600)
        strikes = Math.max(0, strikes - (due - ticks)) + 1
        ticks = due
        assert.isBelow(strikes, 5, `hours begin ${phase} s before the first`)
      }
    }
  })

  it("said it once, though its Goodbye follows, or an answer to what was asked before", () => {
    const once = withRefusal(unrestrained, intervalMs, 1000)
    assert.strictEqual(withRefusal(once, intervalMs, 1500), once)
    assert.notStrictEqual(withRefusal(once, intervalMs, 200_000), once)
    assert.strictEqual(levelAt(once, -5000), 4, "a clock that was set back")
  })

  it("says so in words, by code 139 and Goodbye 130; a bare code 1 is one after an answer", () => {
    const says = (code: number, text: string, hasDelivered = true) => isTooMuch(refusalOf(code, text), hasDelivered)
    assert.isTrue(says(1, "rate limited", false))
    assert.isTrue(says(1, "Peer has been rate limited", false))
    assert.isTrue(says(139, "", false))
    assert.isTrue(isTooMuch(goodbyeRefusal(130), false))
    assert.isTrue(says(1, ""))
    assert.isFalse(says(1, "", false))
    assert.isFalse(says(1, "Req outside availability period"))
    assert.isFalse(says(2, ""))
    assert.isFalse(says(3, ""))
    assert.isFalse(isTooMuch(goodbyeRefusal(129), true))
  })
})
