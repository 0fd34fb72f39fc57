import { assert, describe, it } from "@effect/vitest"
import type { Seen } from "../../../src/host/beacon-api/events/EventMessage.ts"
import { missedEvents } from "../../../src/host/beacon-api/events/MissedEvents.ts"
import { chain } from "../../probe/FakeWorld.ts"

const seen = (slot: number, finalizedSlot = 32): Seen => ({ head: { slot, root: `0x${slot}` }, finalizedSlot })
const answer = (slot: number, parentRoot: string, epoch = 1) => ({
  head: { slot, root: `0x${slot}`, parentRoot },
  finalized: { epoch, root: "0xf" }
})

const missed = (before: Seen, now: Seen, said: ReturnType<typeof answer>) =>
  missedEvents(chain, { before, now, answer: said }).map((event) => {
    switch (event._tag) {
      case "Head":
        return `head ${event.head.slot}`
      case "Finalized":
        return `finalized ${event.epoch}`
      case "Reorg":
        return `reorg ${event.slot - event.depth + 1}..${event.slot}`
    }
  })

describe("what an answer tells that no event did", () => {
  it("is the head, and what is final, where nothing was told meanwhile", () => {
    assert.deepStrictEqual(missed(seen(100), seen(100), answer(100, "0x99")), [])
    assert.deepStrictEqual(missed(seen(100), seen(100), answer(101, "0x100", 2)), ["head 101", "finalized 2"])
    assert.deepStrictEqual(missed(seen(100), seen(100), answer(99, "0x98")), ["reorg 32..100", "head 99"])
    assert.deepStrictEqual(missed({ head: undefined, finalizedSlot: undefined }, seen(100), answer(90, "0x1")), [])
  })

  it("is nothing older than what was told meanwhile, but a reorg that the answer may hide", () => {
    assert.deepStrictEqual(missed(seen(100), seen(103), answer(101, "0x100")), [])
    assert.deepStrictEqual(missed(seen(100), seen(103), answer(102, "0x101")), ["reorg 32..103"])
    assert.deepStrictEqual(missed(seen(100), seen(103), answer(104, "0x103")), ["reorg 32..104", "head 104"])
    assert.deepStrictEqual(missed(seen(100), seen(103, 64), answer(101, "0x100", 1)), [])
  })
})
