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
          peerId,
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
        yield* Effect.exit(workers.run("f", Effect.die("bug"))).pipe(Effect.map(({ _tag }) => _tag)),
        "Failure"
      )
      assert.strictEqual(yield* waiting, 0)
    }).pipe(Effect.provide(ProbeWorkers.layer(2)))
  )
})
