import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, LogLevel, TestClock } from "effect"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { makeGuard } from "../../src/runtime/Guard.ts"

const bugs = (reason: string) => `a bug: ${reason}`

describe("a guard", () => {
  it.effect(
    "makes an error of a defect, logs it at times, counts it always, and shows it until the work ends well",
    () => {
      const errors: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (LogLevel.greaterThanEqual(logLevel, LogLevel.Error)) errors.push(String(message))
      })
      return Effect.gen(function* () {
        const daemons = yield* Daemons
        const guard = yield* makeGuard("asking", { isShown: true })
        const quiet = yield* makeGuard("writing", { isShown: false })
        for (let time = 1; time <= 3; time++) {
          assert.strictEqual(yield* Effect.flip(guard(Effect.die(new Error(`no ${time}`)), bugs)), `a bug: no ${time}`)
        }
        assert.strictEqual(yield* Effect.flip(quiet(Effect.interrupt, bugs)), "a bug: it was interrupted")
        assert.deepStrictEqual(errors, ["asking failed", "writing failed"])
        assert.deepStrictEqual(yield* daemons.failing, [{ name: "asking", failures: 3, reason: "no 3" }])
        assert.strictEqual(yield* daemons.failures, 4)
        // An error that the work knows of is the business of whoever asks.
        assert.strictEqual(yield* Effect.flip(guard(Effect.fail("closed"), bugs)), "closed")
        assert.deepStrictEqual(yield* daemons.failing, [])
        yield* TestClock.adjust("5 minutes")
        yield* Effect.flip(guard(Effect.die("again"), bugs))
        assert.strictEqual(yield* guard(Effect.succeed(1), bugs), 1)
        assert.deepStrictEqual([errors.length, yield* daemons.failing], [3, []])
      }).pipe(Effect.provide(Layer.merge(Daemons.layer, Logger.replace(Logger.defaultLogger, logger))))
    }
  )

  it.effect("lets whoever asks be interrupted, and counts nothing", () =>
    Effect.gen(function* () {
      const guard = yield* makeGuard("asking", { isShown: true })
      const fiber = yield* Effect.fork(guard(Effect.never, bugs))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 0)
    }).pipe(Effect.provide(Daemons.layer))
  )
})
