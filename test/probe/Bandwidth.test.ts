import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Metric, Option, TestClock } from "effect"
import { bandwidthLimit, bandwidthWaiting } from "../../src/domain/metrics/Metrics.ts"
import { Bandwidth } from "../../src/probe/Bandwidth.ts"

const limit = 1_000_000

/** A probe of so many bytes that takes no time; gives when it began. */
const probeOf = (bytes: number, expected = bytes) =>
  Effect.flatMap(Bandwidth, ({ inTurn }) =>
    inTurn((turn) =>
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        yield* turn.expect(expected)
        yield* turn.came(bytes)
        return at
      })
    )
  )

/** Has it waiting, or over, before anything else happens. */
const begin = <A>(probe: Effect.Effect<A, never, Bandwidth>) =>
  Effect.tap(Effect.fork(probe), () => TestClock.adjust(0))

const times = (probes: ReadonlyArray<Effect.Effect<Option.Option<number>, never, Bandwidth>>) =>
  Effect.gen(function* () {
    const fibers = yield* Effect.forEach(probes, (probe) => begin(probe))
    yield* TestClock.adjust("1 minute")
    return yield* Effect.forEach(fibers, Fiber.join)
  })

describe("the bandwidth of all probes", () => {
  it.effect("is what so many bytes a second come to, first come, first served", () =>
    Effect.gen(function* () {
      // What two seconds are worth is there at first; each waits for what those before it took beyond that.
      const begun = yield* times([3, 1, 4, 1, 2].map((megabytes) => probeOf(megabytes * limit)))
      assert.deepStrictEqual(begun, [0, 1001, 2001, 6001, 7001].map(Option.some))
    }).pipe(Effect.provide(Bandwidth.layer(limit)))
  )

  it.effect("counts what came, not what was expected, and nothing where nothing was asked for", () =>
    Effect.gen(function* () {
      const { inTurn } = yield* Bandwidth
      const idle = inTurn(() => Effect.as(Clock.currentTimeMillis, 0))
      const begun = yield* times([probeOf(0, 30 * limit), idle, probeOf(3 * limit, 0), idle, probeOf(1)])
      assert.deepStrictEqual(begun, [0, 0, 0, 0, 1001].map(Option.some))
    }).pipe(Effect.provide(Bandwidth.layer(limit)))
  )

  it.effect("is not taken by a probe that fails before anything came", () =>
    Effect.gen(function* () {
      const { inTurn } = yield* Bandwidth
      const refused = Effect.orElseSucceed(
        inTurn((turn) => Effect.zipRight(turn.expect(30 * limit), Effect.fail("refused"))),
        () => Option.none<number>()
      )
      assert.deepStrictEqual(yield* times([refused, probeOf(1)]), [Option.none(), Option.some(0)])
    }).pipe(Effect.provide(Bandwidth.layer(limit)))
  )

  it.effect("lets those who wait go on at once when a probe turns out smaller than it was expected to be", () =>
    Effect.gen(function* () {
      const { inTurn } = yield* Bandwidth
      const gate = yield* Deferred.make<void>()
      const large = yield* begin(
        inTurn((turn) =>
          turn.expect(20 * limit).pipe(Effect.zipRight(Deferred.await(gate)), Effect.zipRight(turn.came(0)))
        )
      )
      const next = yield* begin(probeOf(1))
      yield* TestClock.adjust("5 seconds")
      assert.isNull(next.unsafePoll())
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(next), Option.some(5000))
      yield* Fiber.join(large)
    }).pipe(Effect.provide(Bandwidth.layer(limit)))
  )

  it.effect("is no longer waited for after a while, and loses nothing by whoever is interrupted", () =>
    Effect.gen(function* () {
      const bandwidth = yield* Bandwidth
      const before = (yield* Metric.value(bandwidthWaiting)).value
      yield* probeOf(100 * limit)
      const waiting = yield* Effect.forEach([1, 2, 3], () => begin(probeOf(limit)))
      assert.deepInclude(yield* bandwidth.state, { limit, waiting: 3 })
      assert.strictEqual((yield* Metric.value(bandwidthWaiting)).value - before, 3)
      assert.strictEqual((yield* Metric.value(bandwidthLimit)).value, limit)
      yield* Effect.forEach(waiting.slice(0, 1), Fiber.interrupt)
      yield* TestClock.adjust("41 seconds")
      assert.deepStrictEqual(yield* Effect.forEach(waiting.slice(1), Fiber.join), [Option.none(), Option.none()])
      assert.strictEqual((yield* bandwidth.state).waiting, 0)
      const last = yield* Effect.fork(probeOf(1))
      yield* TestClock.adjust("60 seconds")
      // 100 MB less the 2 MB that were there take 98 s: nothing was taken by those who went away.
      assert.deepStrictEqual(yield* Fiber.join(last), Option.none())
      const [begun] = yield* times([probeOf(1)])
      assert.deepStrictEqual(begun, Option.some(101_000))
    }).pipe(Effect.provide(Bandwidth.layer(limit)))
  )

  it.effect("is told as bytes a second of the last half a minute", () =>
    Effect.gen(function* () {
      const bandwidth = yield* Bandwidth
      for (let second = 0; second < 300; second++) {
        yield* probeOf(500_000)
        yield* TestClock.adjust("1 second")
      }
      const { bytesPerSecond } = yield* bandwidth.state
      assert.isTrue(bytesPerSecond > 480_000 && bytesPerSecond < 520_000, String(bytesPerSecond))
      yield* TestClock.adjust("3 minutes")
      assert.isBelow((yield* bandwidth.state).bytesPerSecond, 2000)
    }).pipe(Effect.provide(Bandwidth.layer(limit)))
  )

  it.effect("has no limit where none is set", () =>
    Effect.gen(function* () {
      const bandwidth = yield* Bandwidth
      assert.deepStrictEqual(yield* times([probeOf(1e12), probeOf(1e12)]), [Option.some(0), Option.some(0)])
      assert.deepInclude(yield* bandwidth.state, { limit: null, waiting: 0 })
    }).pipe(Effect.provide(Bandwidth.layer(Infinity)))
  )
})
