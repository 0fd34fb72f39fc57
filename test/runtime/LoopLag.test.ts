import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { LoopLag, makeWorstBySecond } from "../../src/runtime/LoopLag.ts"

const hold = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

describe("LoopLag", () => {
  it.scopedLive("sees how long the thread was held, while it is and after", () =>
    Effect.gen(function* () {
      const { worstSince } = yield* LoopLag
      const since = yield* Clock.currentTimeMillis
      yield* Effect.sleep("250 millis")
      yield* Effect.sync(() => hold(600))
      assert.isAtLeast(yield* worstSince(since), 400)
      yield* Effect.sleep("250 millis")
      assert.isAtLeast(yield* worstSince(since), 400)
    }).pipe(Effect.provide(LoopLag.layer))
  )
})

describe("the worst delay of each second", () => {
  it("is known for five minutes, as long as a probe may last, and takes no more room than that", () => {
    const worst = makeWorstBySecond()
    const at = 1_700_000_000_000
    worst.add(at, 50)
    worst.add(at + 100, 2_000)
    worst.add(at + 200, 10)
    assert.strictEqual(worst.since(at), 2_000)
    assert.strictEqual(worst.since(at + 1_000), 0)
    for (let second = 1; second <= 240; second++) worst.add(at + second * 1000, second === 100 ? 300 : 1)
    assert.strictEqual(worst.since(at - 10_000), 2_000)
    assert.strictEqual(worst.since(at + 60_000), 300)
    for (let second = 241; second <= 301; second++) worst.add(at + second * 1000, 1)
    assert.strictEqual(worst.since(0), 300)
  })
})
