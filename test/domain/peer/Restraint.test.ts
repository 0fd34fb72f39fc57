import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import {
  isTooMuch,
  levelAt,
  mostQuestionUnits,
  mostUnits,
  type Restraint,
  spacingMs,
  unrestrained,
  withAnswer,
  withRefusal
} from "../../../src/domain/peer/Restraint.ts"
import { type Ended, restraintAfter } from "../../../src/domain/peer/RestraintAfter.ts"
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

describe("a refusal that no limit explains", () => {
  const tooMuch = Option.some(refusalOf(139, ""))
  const outcomes = (...combinations: ReadonlyArray<readonly [slot: number, column: number]>) =>
    combinations.map(([slot, column]) => ({
      slot,
      column,
      outcome: "suspected" as const,
      blockRoot: "0x00",
      blobs: 1
    }))
  const minutes = (count: number) => count * 60_000
  /** A question of seven units: three combinations of one slot, by root and by range. */
  const question = (at: number, more: Partial<Ended> = {}): Ended => ({
    probe: {
      purpose: "confirmation",
      job: { peerId: "a", startSlot: 5, count: 1, columns: [1, 2, 3] },
      outcomes: outcomes([5, 1], [5, 2], [5, 3]),
      finishedAt: at
    },
    error: tooMuch,
    wasAnswered: false,
    escapedByRoot: false,
    hasDelivered: true,
    testIntervalMs: intervalMs,
    ...more
  })
  /** A sample of `2 * count` units. */
  const sample = (at: number, count: number, more: Partial<Ended> = {}): Ended => ({
    ...question(at),
    probe: {
      purpose: "sampling",
      job: { peerId: "a", startSlot: 50, count, columns: [1] },
      outcomes: outcomes([50, 1]),
      finishedAt: at
    },
    error: Option.none(),
    wasAnswered: true,
    ...more
  })
  const levels = (steps: ReadonlyArray<Ended>): ReadonlyArray<number> => {
    let restraint = unrestrained
    return steps.map((ended) => {
      restraint = restraintAfter(restraint, ended)
      return Math.round(levelAt(restraint, ended.probe.finishedAt) * 10) / 10
    })
  }

  it("is that of a question which costs no more than what was answered since the last one", () => {
    assert.deepStrictEqual(
      levels([
        question(0),
        sample(minutes(5), 4),
        question(minutes(10)),
        sample(minutes(15), 4),
        question(minutes(20))
      ]),
      [4, 4, 4, 4, 4]
    )
  })

  it("is not that of one that costs more, or that follows another, or of a sample", () => {
    assert.deepStrictEqual(levels([question(0), sample(minutes(5), 3), question(minutes(10))]), [4, 4, 6])
    assert.deepStrictEqual(
      levels([question(0), sample(minutes(5), 4), question(minutes(10)), question(minutes(20))]),
      [4, 4, 4, 6]
    )
    assert.deepStrictEqual(
      levels([question(0), sample(minutes(5), 40), sample(minutes(10), 1, { error: tooMuch, wasAnswered: false })]),
      [4, 4, 6]
    )
    const vain = sample(minutes(5), 40, { wasAnswered: false })
    assert.deepStrictEqual(levels([question(0), vain, question(minutes(10))]), [4, 4, 6], "what was not answered")
    assert.deepStrictEqual(
      levels([sample(0, 40), question(minutes(5)), question(minutes(15))]),
      [0, 4, 6],
      "what was answered before"
    )
  })

  it("is that of columns by root which it has just left out, once it is asked little", () => {
    const escape = (at: number) => sample(at, 1, { error: tooMuch, wasAnswered: false, escapedByRoot: true })
    assert.deepStrictEqual(levels([escape(0), escape(minutes(10)), escape(minutes(20))]), [4, 4, 4])
  })

  it("keeps questions within what was answered, and always at one combination", () => {
    const once = withRefusal(unrestrained, intervalMs, 0)
    assert.strictEqual(mostQuestionUnits(unrestrained, 0), Infinity)
    assert.strictEqual(mostQuestionUnits(once, 0), 64)
    assert.strictEqual(mostQuestionUnits(withAnswer(once, 16, 0), 0), 16)
    assert.strictEqual(mostQuestionUnits(withAnswer(withAnswer(once, 16, 0), 8, 0), 0), 16)
    assert.strictEqual(mostQuestionUnits(withAnswer(once, 2, 0), 0), 3)
    assert.strictEqual(withAnswer(unrestrained, 16, 0), unrestrained)
  })
})
