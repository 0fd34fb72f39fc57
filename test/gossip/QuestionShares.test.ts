import { assert, describe, it } from "@effect/vitest"
import type { Asker } from "../../src/gossip/Asker.ts"
import { makeQuestionShares } from "../../src/gossip/QuestionShares.ts"

const slotMs = 12_000
const peer = (peer: string, isProven = false): Asker => ({ _tag: "Peer", peer, isProven })
const signed = (proposerIndex: number): Asker => ({ _tag: "Signed", proposerIndex })
const numbers = (length: number) => Array.from({ length }, (_, at) => at)

describe("questions to the beacon node", () => {
  it("of one stranger leave those of others, and what all strangers ask leaves the rest", () => {
    const mayAsk = makeQuestionShares(slotMs)
    assert.deepStrictEqual(
      numbers(5).map(() => mayAsk(peer("a"), 0)),
      [true, true, true, false, false]
    )
    assert.isTrue(mayAsk(peer("b"), 0))
    assert.isFalse(numbers(100).some((at) => mayAsk(peer(`stranger ${at}`), 0)))
    assert.isTrue(mayAsk(peer("proven", true), 0), "half of them is for those whose columns were accepted")
    assert.isTrue(mayAsk(signed(7), 0))
    assert.isTrue(mayAsk("us", 0))
  })

  it("about what one proposer signed leave those about others", () => {
    const mayAsk = makeQuestionShares(slotMs)
    assert.strictEqual(numbers(20).filter(() => mayAsk(signed(7), 0)).length, 8)
    assert.isTrue(mayAsk(signed(8), 0))
  })

  it("are few over time, whoever asks", () => {
    const mayAsk = makeQuestionShares(slotMs)
    const slots = 100
    const asked = numbers(slots * 12).flatMap((second) =>
      numbers(40).filter((at) => mayAsk(at % 3 === 0 ? signed(at) : peer(`${at}`, at % 2 === 0), second * 1000))
    ).length
    assert.isAtMost(asked / slots, 7)
    assert.isAtLeast(asked / slots, 5)
  })
})
