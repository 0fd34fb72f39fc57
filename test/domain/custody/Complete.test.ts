import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import {
  type Complete,
  cutAt,
  extendDown,
  extendUp,
  nothingUpTo,
  raiseTo,
  type SlotState
} from "../../../src/domain/custody/Complete.ts"

const lackingAt =
  (...slots: ReadonlyArray<number>) =>
  (slot: number): SlotState =>
    slots.includes(slot) ? "lacking" : "complete"

describe("the slots of which everything is kept", () => {
  it("are none at first, and begin behind the head", () => {
    assert.deepStrictEqual(nothingUpTo(100), { start: 101, end: 100 })
  })

  it("reach to the head, wait for a young slot, and begin anew behind an old one", () => {
    const begun: Complete = { start: 10, end: 20 }
    assert.deepStrictEqual(extendUp(begun, lackingAt(), { head: 30, patience: 4 }), { start: 10, end: 30 })
    assert.deepStrictEqual(extendUp(begun, lackingAt(28), { head: 30, patience: 4 }), { start: 10, end: 27 })
    assert.deepStrictEqual(extendUp(begun, lackingAt(26), { head: 30, patience: 4 }), { start: 27, end: 30 })
    assert.deepStrictEqual(extendUp(begun, lackingAt(22, 26), { head: 26, patience: 4 }), { start: 23, end: 25 })
    assert.deepStrictEqual(
      extendUp(begun, () => "unknown", { head: 30, patience: 4 }),
      { start: 27, end: 26 }
    )
  })

  it("go back over a gap once it is filled, and to the lowest slot at most", () => {
    const behind: Complete = { start: 27, end: 30 }
    assert.deepStrictEqual(extendDown(behind, lackingAt(26), 0), behind)
    assert.deepStrictEqual(extendDown(behind, lackingAt(12), 0), { start: 13, end: 30 })
    assert.deepStrictEqual(extendDown(behind, lackingAt(12), 20), { start: 20, end: 30 })
  })

  it("are looked at again from where another block has become canonical", () => {
    assert.deepStrictEqual(cutAt({ start: 10, end: 20 }, 15), { start: 10, end: 14 })
    assert.deepStrictEqual(cutAt({ start: 10, end: 20 }, 10), { start: 10, end: 9 })
    assert.deepStrictEqual(cutAt({ start: 10, end: 20 }, 9), { start: 10, end: 20 })
    assert.deepStrictEqual(cutAt({ start: 10, end: 20 }, 21), { start: 10, end: 20 })
  })

  it("begin where they are kept from", () => {
    assert.deepStrictEqual(raiseTo({ start: 10, end: 20 }, 15), { start: 15, end: 20 })
    assert.deepStrictEqual(raiseTo({ start: 10, end: 20 }, 5), { start: 10, end: 20 })
    assert.deepStrictEqual(raiseTo({ start: 10, end: 20 }, 25), { start: 25, end: 24 })
  })

  it("never have a slot that lacks anything but young ones, whatever comes in whatever order", () => {
    const slots = FastCheck.array(FastCheck.constantFrom<SlotState>("complete", "lacking", "unknown"), {
      minLength: 40,
      maxLength: 40
    })
    const steps = FastCheck.array(
      FastCheck.oneof(
        FastCheck.record({ do: FastCheck.constant("up" as const), by: FastCheck.nat(9) }),
        FastCheck.record({ do: FastCheck.constantFrom("down", "fill", "reorg", "raise"), by: FastCheck.nat(39) })
      ),
      { maxLength: 40 }
    )
    FastCheck.assert(
      FastCheck.property(slots, steps, (given, steps) => {
        const states = [...given]
        const stateOf = (slot: number): SlotState => states[slot] ?? "complete"
        let head = 5
        let complete = nothingUpTo(head)
        for (const step of steps) {
          if (step.do === "up") {
            head = Math.min(39, head + step.by)
            complete = extendUp(complete, stateOf, { head, patience: 4 })
          } else if (step.do === "down") complete = extendDown(complete, stateOf, step.by)
          else if (step.do === "fill") states[step.by] = "complete"
          else if (step.do === "raise") complete = raiseTo(complete, Math.min(step.by, head + 1))
          else {
            states[step.by] = "lacking"
            complete = cutAt(complete, step.by)
          }
          assert.isAtMost(complete.start, complete.end + 1)
          for (let slot = complete.start; slot <= complete.end; slot++) {
            assert.strictEqual(stateOf(slot), "complete", `slot ${slot} of ${complete.start}..${complete.end}`)
          }
        }
        complete = extendUp(complete, stateOf, { head, patience: 4 })
        assert.isTrue(complete.end === head || complete.end > head - 5)
      })
    )
  })
})
