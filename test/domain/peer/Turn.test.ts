import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { neutralScore, scoreAt } from "../../../src/domain/peer/Score.ts"
import { isBefore, type Waiting } from "../../../src/domain/peer/Turn.ts"

const hour = 3_600_000
const moment = FastCheck.integer({ min: 1, max: 1000 * hour })
const score = FastCheck.double({ min: 0, max: 1, noNaN: true })
const waiting = FastCheck.record({ touchedAt: FastCheck.oneof(FastCheck.constant(0), moment), score })
const neutral = neutralScore.value

const property = (holds: (a: Waiting, b: Waiting) => void) =>
  FastCheck.assert(FastCheck.property(waiting, waiting, holds))

describe("a peer's turn to be dialled", () => {
  it("comes before that of one that waits as long and is worse", () => {
    const good = { touchedAt: 9 * hour, score: 0.9 }
    const bad = { touchedAt: 9 * hour, score: 0.1 }
    assert.deepStrictEqual([isBefore(good, bad), isBefore(bad, good)], [true, false])
    const earlier = { touchedAt: 8.5 * hour, score: neutral }
    assert.isTrue(isBefore(good, earlier))
    assert.isTrue(isBefore(earlier, bad))
  })

  it("is nobody's loss by more than two hours, however good all others are, and however bad it is", () => {
    FastCheck.assert(
      FastCheck.property(
        moment,
        score,
        score,
        FastCheck.integer({ min: 2 * hour + 1, max: 100 * hour }),
        (at, a, b, more) => {
          assert.isTrue(isBefore({ touchedAt: at, score: a }, { touchedAt: at + more, score: b }))
        }
      )
    )
  })

  it("is the first for one that was never dialled", () => {
    property((a, b) => {
      if (a.touchedAt === 0 && b.touchedAt > 0) assert.isTrue(isBefore(a, b))
      if (a.touchedAt === 0) assert.isFalse(isBefore(b, a))
    })
  })

  it("is in one order with all others, and no worse for a better score", () => {
    property((a, b) => assert.isFalse(isBefore(a, b) && isBefore(b, a)))
    FastCheck.assert(
      FastCheck.property(waiting, waiting, waiting, (a, b, c) => {
        if (isBefore(a, b) && isBefore(b, c)) assert.isTrue(isBefore(a, c))
        const better = { ...a, score: Math.min(1, a.score + 0.1) }
        if (isBefore(a, b)) assert.isTrue(isBefore(better, b))
      })
    )
  })

  it("is by how long it waits alone, once its score has faded", () => {
    const known = { value: 0, at: 1000 * hour }
    const later = known.at + 1000 * hour
    const faded = { touchedAt: known.at, score: scoreAt(known, later) }
    assert.isTrue(isBefore(faded, { touchedAt: known.at + 1, score: neutral }))
  })
})
