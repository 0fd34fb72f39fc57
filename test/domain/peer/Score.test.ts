import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { addOutcomes, noOutcomes, outcomeKinds } from "../../../src/domain/probe/Outcome.ts"
import {
  type Experience,
  isNearlySame,
  neutral,
  neutralScore,
  reviewedScore,
  type Score,
  scoreAt,
  weightOf,
  withExperience
} from "../../../src/domain/peer/Score.ts"

const hour = 3_600_000
const moment = fc.integer({ min: 1_700_000_000_000, max: 1_700_900_000_000 })
const score: fc.Arbitrary<Score> = fc.record({ value: fc.double({ min: 0, max: 1, noNaN: true }), at: moment })
const bad = fc.constantFrom(...outcomeKinds.filter((kind) => kind !== "success"))
const outcomes = fc
  .array(fc.tuple(fc.constantFrom(...outcomeKinds), fc.nat(128)), { maxLength: 5 })
  .map((counts) => counts.reduce((sum, [kind, count]) => addOutcomes(sum, { [kind]: count }), noOutcomes))
const asked = fc.record({
  _tag: fc.constant("Asked" as const),
  outcomes,
  absent: fc.nat(128),
  firstByteMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true })),
  wasSilent: fc.boolean()
})
const other: fc.Arbitrary<Experience> = fc.oneof(
  fc.constant({ _tag: "NotReached" as const }),
  fc.constant({ _tag: "Refused" as const }),
  fc.record({ _tag: fc.constant("Lost" as const), afterMs: fc.nat(100 * hour) })
)
const experience: fc.Arbitrary<Experience> = fc.oneof(asked, other)
/** No difference but of rounding. */
const epsilon = 1e-12

type Asked = Extract<Experience, { readonly _tag: "Asked" }>

const delivering = (firstByteMs: number | null, success = 8): Asked => ({
  _tag: "Asked",
  outcomes: { ...noOutcomes, success },
  absent: 0,
  firstByteMs,
  wasSilent: false
})
const after = (experiences: ReadonlyArray<Experience>, from = neutralScore, everyMs = 10_000) =>
  experiences.reduce((score, one, index) => withExperience(score, one, 1_700_000_000_000 + index * everyMs), from)
const times = <A>(count: number, one: A): ReadonlyArray<A> => Array.from({ length: count }, () => one)

describe("a score", () => {
  it("is between 0 and 1, whatever is experienced", () =>
    fc.assert(
      fc.property(score, fc.array(experience), moment, (from, all, now) => {
        const value = all.reduce((score, one) => withExperience(score, one, now), from).value
        assert.isTrue(value >= 0 && value <= 1)
      })
    ))

  it("is never higher for one more bad outcome, absent column, or silence", () =>
    fc.assert(
      fc.property(score, asked, bad, fc.integer({ min: 1, max: 9 }), moment, (from, one, kind, more, now) => {
        const { value } = withExperience(from, one, now)
        const counts = { ...one.outcomes, [kind]: one.outcomes[kind] + more }
        for (const worse of [
          { ...one, outcomes: counts },
          { ...one, absent: one.absent + more },
          { ...one, wasSilent: true }
        ]) {
          assert.isAtMost(withExperience(from, worse, now).value, value + epsilon)
        }
      })
    ))

  it("is never higher after a dial that failed, a refusal or a loss; the shorter it stayed, the lower", () =>
    fc.assert(
      fc.property(score, other, moment, (from, one, now) => {
        const { value } = withExperience(from, one, now)
        assert.isAtMost(value, scoreAt(from, now) + epsilon)
        if (one._tag === "Lost") {
          const sooner = withExperience(from, { ...one, afterMs: one.afterMs / 2 }, now)
          assert.isAtMost(sooner.value, value + epsilon)
        }
      })
    ))

  it("keeps its order: what is experienced alike leaves the better peer no worse than the other", () =>
    fc.assert(
      fc.property(score, score, experience, moment, (a, b, one, now) => {
        const [low, high] = scoreAt(a, now) <= scoreAt(b, now) ? [a, b] : [b, a]
        assert.isAtMost(withExperience(low, one, now).value, withExperience(high, one, now).value + epsilon)
      })
    ))

  it("goes towards neutral by time alone, never past it, and in one step as in many", () =>
    fc.assert(
      fc.property(score, fc.nat(48 * hour), fc.nat(48 * hour), (from, first, second) => {
        const one = scoreAt(from, from.at + first)
        assert.isAtMost(Math.abs(one - neutral), Math.abs(from.value - neutral) + epsilon)
        assert.isAtLeast((one - neutral) * (from.value - neutral), 0)
        const two = scoreAt({ value: one, at: from.at + first }, from.at + first + second)
        assert.approximately(two, scoreAt(from, from.at + first + second), 1e-9)
      })
    ))

  it("is told anew only where it is another, and a clock that was set back changes nothing", () =>
    fc.assert(
      fc.property(score, fc.nat(48 * hour), (from, later) => {
        const told = reviewedScore(from, from.at + later)
        assert.approximately(told.value, scoreAt(from, from.at + later), 0.02)
        assert.approximately(scoreAt(told, from.at + 2 * later), scoreAt(from, from.at + 2 * later), 0.02)
        assert.approximately(scoreAt(from, from.at - later), from.value, epsilon)
        assert.isTrue(isNearlySame(from, from))
      })
    ))

  it("halves what it is away from neutral in six hours", () => {
    assert.strictEqual(scoreAt({ value: 1, at: 0 }, 6 * hour), 0.75)
    assert.strictEqual(scoreAt({ value: 0, at: 0 }, 12 * hour), 0.375)
    assert.strictEqual(scoreAt(neutralScore, 12 * hour), neutral)
  })

  it("tells apart who delivers at once, who does so slowly, who lacks some, who is silent and who lies", () => {
    const lacking: Asked = { ...delivering(100, 7), outcomes: { ...noOutcomes, success: 7, missing: 1 } }
    const silent: Asked = { ...delivering(null, 0), outcomes: { ...noOutcomes, timeout: 8 }, wasSilent: true }
    const lying: Asked = { ...delivering(100, 0), outcomes: { ...noOutcomes, invalid: 8 } }
    const values = [delivering(100), delivering(5000), lacking, silent, lying].map((one) => after(times(60, one)).value)
    const [fast = 0, slow = 0, poor = 0, mute = 0, liar = 0] = values
    assert.isAbove(fast, 0.99)
    assert.approximately(slow, 0.7, 0.01)
    assert.isBelow(poor, neutral)
    assert.isBelow(mute, 0.01)
    assert.isBelow(liar, mute + epsilon)
    // A good peer with one bad moment is still a good one, and is as before within minutes.
    const once = after([...times(60, delivering(100)), silent])
    assert.isAbove(once.value, 0.6)
    assert.isAbove(after(times(30, delivering(100)), once).value, 0.95)
  })

  it("weighs what is proven more than what is not, and nothing of what is our own doing", () => {
    assert.strictEqual(weightOf.unverifiable, 0)
    for (const kind of ["missing", "invalid", "unavailable", "malformed"] as const) {
      for (const open of ["suspected", "refused", "timeout", "disconnected"] as const) {
        assert.isAbove(weightOf[kind], weightOf[open])
      }
    }
  })
})
