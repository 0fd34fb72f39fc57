import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Schedule, TestClock } from "effect"
import { daemon, Daemons, describeFailing } from "../../src/runtime/Daemon.ts"

/** Runs with an account of its own; gives what was logged as errors, too. */
const observed = <A, E, R>(test: (errors: ReadonlyArray<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const errors: Array<string> = []
    const logger = Logger.make(({ annotations, logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Error)) {
        errors.push(`${[...annotations].map(([key, value]) => `${key}=${String(value)}`).join()} ${String(message)}`)
      }
    })
    return Effect.provide(test(errors), Layer.merge(Daemons.layer, Logger.add(logger)))
  })

const failing = Effect.flatMap(Daemons, ({ failing }) => failing)

describe("daemon", () => {
  it.scoped("goes on after defects and failures, says so, counts them, and is well again once it succeeds", () =>
    observed((errors) =>
      Effect.gen(function* () {
        let runs = 0
        const work = Effect.suspend(() => {
          runs++
          return runs === 2 ? Effect.dieMessage("a bug") : runs === 3 ? Effect.fail(new Error("no disk")) : Effect.void
        })
        yield* daemon("the test's work", work, Schedule.spaced("1 minute"))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([runs, yield* failing], [1, []])
        yield* TestClock.adjust(59_100)
        const [first] = yield* failing
        assert.strictEqual(runs, 2)
        assert.deepStrictEqual(first, { name: "the test's work", failures: 1, reason: "a bug" })
        yield* TestClock.adjust("650 millis")
        const [second] = yield* failing
        assert.strictEqual(runs, 3)
        assert.deepStrictEqual(second, { name: "the test's work", failures: 2, reason: "no disk" })
        assert.strictEqual(
          second && describeFailing(second),
          "the test's work has failed 2 times in a row and is tried again; the log says why"
        )
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual([runs, yield* failing], [4, []])
        assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 2)
        assert.deepStrictEqual(errors, [
          "daemon=the test's work the test's work failed and is started again",
          "daemon=the test's work the test's work failed and is started again"
        ])
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(runs, 5)
      })
    )
  )

  it.scoped("waits longer each time, up to a minute, and soon again after a success", () =>
    observed(() =>
      Effect.gen(function* () {
        const at: Array<number> = []
        let ill = true
        const work = Effect.flatMap(Effect.clock, (clock) => {
          at.push(clock.unsafeCurrentTimeMillis())
          return ill ? Effect.dieMessage("still ill") : Effect.void
        })
        yield* daemon("work", work, Schedule.spaced("1 second"))
        yield* TestClock.adjust("10 minutes")
        const gaps = at.slice(1).map((moment, index) => moment - (at[index] ?? 0))
        assert.isBelow(gaps[0] ?? Infinity, 700)
        assert.isTrue(gaps.slice(8).every((gap) => gap >= 48_000 && gap <= 72_000))
        ill = false
        yield* TestClock.adjust("2 minutes")
        ill = true
        at.length = 0
        yield* TestClock.adjust("4 seconds")
        assert.isAtLeast(at.length, 3)
      })
    )
  )

  it.scoped("work that never ends is well again after ten seconds; its end by interruption is a failure too", () =>
    observed(() =>
      Effect.gen(function* () {
        let runs = 0
        yield* daemon(
          "endless",
          Effect.suspend(() => (++runs === 1 ? Effect.interrupt : Effect.never))
        )
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(runs, 2)
        assert.lengthOf(yield* failing, 1)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* failing, [])
      })
    )
  )

  it.effect("ends with its scope, and is not missed then", () =>
    observed((errors) =>
      Effect.gen(function* () {
        let ended = 0
        const work = Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => ended++)))
        yield* Effect.scoped(Effect.zipRight(daemon("work", work), TestClock.adjust("1 second")))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual([ended, errors, yield* failing], [1, [], []])
      })
    )
  )

  it.effect("an engine shares the account of its host, and else keeps one of its own", () =>
    Effect.gen(function* () {
      const engine = Effect.provide(Daemons, Daemons.layerUnlessShared)
      const alone = yield* engine
      assert.notStrictEqual(alone, yield* engine)
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* engine, yield* Daemons)
      }).pipe(Effect.provide(Daemons.layer))
    })
  )
})
