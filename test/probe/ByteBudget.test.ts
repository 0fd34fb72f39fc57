import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeByteBudget } from "../../src/probe/ByteBudget.ts"

describe("the byte budget", () => {
  it.effect("gives nothing to one that is gone and still waits", () =>
    Effect.gen(function* () {
      const budget = makeByteBudget(10)
      const [first, gone, last] = [{ held: 0 }, { held: 0 }, { held: 0 }]
      yield* budget.take(first, 10, Effect.void)
      const waiting = yield* Effect.fork(budget.take(gone, 5, Effect.void))
      yield* Effect.yieldNow()
      yield* budget.release(gone)
      yield* budget.release(first)
      yield* Fiber.interrupt(waiting)
      const taking = yield* Effect.fork(budget.take(last, 10, Effect.void))
      yield* Effect.yieldNow()
      assert.strictEqual(last.held, 10)
      assert.strictEqual(gone.held, 0)
      yield* Fiber.interrupt(taking)
    })
  )
})
