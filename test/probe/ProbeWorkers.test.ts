import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Metric } from "effect"
import { workersWaiting } from "../../src/domain/metrics/Metrics.ts"
import { ProbeWorkers } from "../../src/probe/ProbeWorkers.ts"

describe("workers", () => {
  it.effect("let so many probes run at once, and show how many wait", () =>
    Effect.gen(function* () {
      const before = (yield* Metric.value(workersWaiting)).value
      const waiting = Effect.map(Metric.value(workersWaiting), ({ value }) => value - before)
      const workers = yield* ProbeWorkers
      const gate = yield* Effect.makeLatch(false)
      const running = new Set<string>()
      const probe = (peerId: string) =>
        workers.run(
          Effect.zipRight(
            Effect.sync(() => running.add(peerId)),
            gate.await
          )
        )
      const fibers = yield* Effect.forEach(["a", "b", "c", "d", "e"], (peerId) => Effect.fork(probe(peerId)))
      yield* Effect.yieldNow({ priority: 1 })
      assert.strictEqual(running.size, 2)
      assert.strictEqual(yield* waiting, 3)
      yield* Effect.forEach(fibers.slice(0, 1), Fiber.interrupt)
      yield* Effect.forEach(fibers.slice(4), Fiber.interrupt)
      yield* Effect.yieldNow({ priority: 1 })
      assert.strictEqual(running.size, 3, "whom one makes room for")
      assert.strictEqual(yield* waiting, 1)
      yield* gate.open
      yield* Effect.forEach(fibers.slice(1, 4), Fiber.join)
      assert.strictEqual(yield* waiting, 0)
      assert.strictEqual(
        yield* Effect.exit(workers.run(Effect.die("bug"))).pipe(Effect.map(({ _tag }) => _tag)),
        "Failure"
      )
      assert.strictEqual(yield* waiting, 0)
    }).pipe(Effect.provide(ProbeWorkers.layer(2)))
  )

  it.effect("lose none, in whatever moment one that waits is interrupted", () =>
    Effect.gen(function* () {
      const { run } = yield* ProbeWorkers
      for (let moment = 0; moment < 12; moment++) {
        const gate = yield* Effect.makeLatch(false)
        const holders = yield* Effect.forEach(["a", "b"], () => Effect.fork(run(gate.await)))
        yield* Effect.yieldNow({ priority: 1 })
        const waiters = yield* Effect.forEach(["c", "d", "e"], () => Effect.fork(run(Effect.void)))
        yield* Effect.yieldNow({ priority: 1 })
        yield* gate.open
        for (let step = 0; step < moment; step++) yield* Effect.yieldNow()
        yield* Effect.forEach(waiters, Fiber.interruptFork)
        yield* Effect.forEach(holders, Fiber.join)
        yield* Effect.forEach(waiters, Fiber.await)
        const both = yield* Effect.forEach(["f", "g"], () => Effect.fork(run(Effect.never)))
        yield* Effect.yieldNow({ priority: 1 })
        const third = yield* Effect.fork(run(Effect.void))
        yield* Effect.yieldNow({ priority: 1 })
        assert.isNull(third.unsafePoll(), `after moment ${moment} there are more workers than two`)
        yield* Fiber.interruptAll(both)
        yield* Fiber.join(third)
      }
    }).pipe(Effect.provide(ProbeWorkers.layer(2)))
  )
})
