import { assert, describe, it } from "@effect/vitest"
import { makeDueLooks } from "../../src/second/DueLooks.ts"
import { makeOwnTrouble } from "../../src/second/OwnTrouble.ts"
import type { Subject } from "../../src/second/Subject.ts"

const subject = (peerId: string, startSlot: number, has = true): Subject => ({
  job: { peerId, startSlot, count: 1, columns: [1] },
  held: [{ slot: startSlot, column: 1, blockRoot: "0x", has }]
})

describe("which peer the second identity looks at next", () => {
  it("is the one that has waited for the longest, none before its time, and none that it is looking at", () => {
    const due = makeDueLooks()
    due.offer(subject("a", 1), 50)
    due.offer(subject("b", 2), 30)
    assert.isUndefined(due.take(29))
    assert.strictEqual(due.take(60)?.job.peerId, "b")
    due.offer(subject("b", 3), 40)
    assert.strictEqual(due.take(60)?.job.peerId, "a")
    assert.isUndefined(due.take(1000))
    due.rested("b", 500)
    due.offer(subject("b", 4), 100)
    assert.isUndefined(due.take(499))
    assert.strictEqual(due.take(500)?.job.startSlot, 4)
  })

  it("comes to its turn however much is new, and asks for the newest if the turn is far off", () => {
    const due = makeDueLooks()
    due.offer(subject("a", 1), 30)
    for (let at = 10; at < 30; at++) due.offer(subject("a", at), at + 30)
    assert.strictEqual(due.take(30)?.job.startSlot, 1)
    due.rested("a", 1000)
    due.offer(subject("a", 7), 60)
    due.offer(subject("a", 8), 90)
    assert.strictEqual(due.take(1000)?.job.startSlot, 8)
  })

  it("asks for what is lacking first", () => {
    const due = makeDueLooks()
    due.offer(subject("a", 1), 30)
    due.offer(subject("a", 2, false), 31)
    due.offer(subject("a", 3), 32)
    due.offer(subject("a", 4, false), 33)
    assert.strictEqual(due.take(100)?.job.startSlot, 2)
  })
})

describe("the trouble of the second identity itself", () => {
  const hour = 3_600_000
  const heard = (disagreeing: number, agreeing: number, families: ReadonlyArray<"teku" | "prysm" | "unknown">) => {
    const trouble = makeOwnTrouble(hour)
    for (let index = 0; index < disagreeing + agreeing; index++) {
      const family = families[index % families.length] ?? "unknown"
      trouble.hear({ peerId: `peer ${index}`, family, disagrees: index < disagreeing, at: 0 })
    }
    return trouble
  }

  it("is seen when most peers of several clients disagree with it at once", () => {
    assert.match(heard(3, 2, ["teku", "prysm"]).look(0) ?? "", /^3 of 5 peers of 2 kinds of client/)
    assert.isUndefined(heard(3, 3, ["teku", "prysm"]).look(0))
    assert.isUndefined(heard(2, 0, ["teku", "prysm"]).look(0))
    assert.isUndefined(heard(10, 0, ["teku"]).look(0))
    assert.isUndefined(heard(10, 0, ["teku", "unknown"]).look(0))
  })

  it("is over when they agree, or were not heard for a while", () => {
    const trouble = heard(4, 0, ["teku", "prysm"])
    assert.isDefined(trouble.look(hour))
    assert.isUndefined(trouble.look(hour + 1))
    for (const peer of [0, 1]) trouble.hear({ peerId: `peer ${peer}`, family: "teku", disagrees: false, at: hour })
    assert.isUndefined(trouble.look(hour))
  })
})
