import { assert, describe, it } from "@effect/vitest"
import { makeAnswerPace } from "../../../src/host/libp2p/AnswerPace.ts"

describe("AnswerPace", () => {
  it("answers a rare asker at once, for as long as it asks", () => {
    const { delay } = makeAnswerPace()
    const delays = Array.from({ length: 500 }, (_, index) => delay("rare", index * 5000))
    assert.deepStrictEqual([...new Set(delays)], [0])
  })

  it("lets whoever asks again and again wait for longer, and never beyond a client's patience", () => {
    const { delay } = makeAnswerPace()
    let now = 0
    const delays = Array.from({ length: 2000 }, () => {
      const wait = delay("eager", now)
      // It asks again as soon as it is answered.
      now += wait
      return wait
    })
    assert.deepStrictEqual(delays.slice(0, 6), [0, 0, 0, 0, 0, 0])
    assert.isAtLeast(delays[6] ?? 0, 1000)
    assert.isTrue(delays.every((wait, index) => wait >= (delays[index - 1] ?? 0)))
    assert.strictEqual(delays.at(-1), 3000)
    // Minutes later it is a stranger again.
    assert.strictEqual(delay("eager", now + 10 * 60_000), 0)
  })

  it("holds what one peer asks against nobody else, and forgets those who asked the longest ago", () => {
    const { delay } = makeAnswerPace()
    for (let times = 0; times < 50; times++) delay("eager", 0)
    assert.isAbove(delay("eager", 0), 1000)
    for (let index = 0; index < 5000; index++) assert.strictEqual(delay(`peer ${index}`, 0), 0)
    assert.strictEqual(delay("eager", 0), 0)
  })
})
