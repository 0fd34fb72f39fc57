import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, TestClock, TestContext } from "effect"
import { firstInOrder } from "../../../../src/host/beacon-api/nodes/FirstInOrder.ts"

/** What comes of attempts that take so many seconds (negative ones fail), and after how many seconds. */
const outcome = (...seconds: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const attempts = seconds.map((after, place) =>
      Effect.delay(after < 0 ? Effect.fail(`failed ${place}`) : Effect.succeed(place), `${Math.abs(after)} seconds`)
    )
    const timed = firstInOrder(attempts, "2 seconds").pipe(
      Effect.merge,
      Effect.zip(Clock.currentTimeMillis),
      Effect.map(([found, at]) => [found, at / 1000])
    )
    const running = yield* Effect.fork(timed)
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(running)
  }).pipe(Effect.provide(TestContext.TestContext))

describe("the first success in the order of preference", () => {
  it.effect("waits for nobody behind it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcome(1, 50), [0, 1])
      assert.deepStrictEqual(yield* outcome(-1, 1, 50), [1, 1])
    })
  )

  it.effect("waits for those before it, but not for long", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcome(4, 3, 50), [0, 4])
      assert.deepStrictEqual(yield* outcome(50, 4, 3), [1, 5])
      assert.deepStrictEqual(yield* outcome(50, -4, 3), [2, 5])
      assert.deepStrictEqual(yield* outcome(-4, 3), [1, 4])
    })
  )

  it.effect("fails with all that failed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcome(-3, -1), [["failed 0", "failed 1"], 3])
      assert.deepStrictEqual(yield* outcome(), [[], 0])
    })
  )
})
