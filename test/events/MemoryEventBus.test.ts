import { assert, describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Layer, Scheduler, Scope, Stream, TestClock } from "effect"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { sampling, snapshotEvent } from "./fixtures.ts"

const sequences = (count: number) => (events: Stream.Stream<{ readonly sequence: number }>) =>
  events.pipe(
    Stream.take(count),
    Stream.map(({ sequence }) => sequence),
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** Fibers give way at any operation, with a chance of one in forty: also within `publish`, where they could race. */
const restless = (seed: number): Scheduler.Scheduler => {
  const scheduler = new Scheduler.MixedScheduler(2048)
  let state = seed
  return {
    shouldYield: () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state < 2 ** 32 / 40 ? 0 : false
    },
    scheduleTask: scheduler.scheduleTask.bind(scheduler)
  }
}

describe("MemoryEventBus", () => {
  it.scoped("numbers events from 1 and stamps them with the clock", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      assert.strictEqual(yield* bus.sequence, 0)
      const first = yield* bus.publish(sampling(7))
      yield* TestClock.adjust("12 seconds")
      const second = yield* bus.publish(sampling(8))
      assert.deepStrictEqual(first, { ...sampling(7), sequence: 1, timestamp: 0 })
      assert.deepStrictEqual(second, { ...sampling(8), sequence: 2, timestamp: 12_000 })
      assert.strictEqual(yield* bus.sequence, 2)
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )

  it.scoped("holds every event from the moment of the subscription, read or not", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      yield* bus.publish(sampling(1))
      const events = yield* bus.subscribe
      yield* Effect.forEach(upTo(1000), (index) => bus.publish(sampling(index)), { discard: true })
      assert.deepStrictEqual(yield* sequences(1000)(events), upTo(1001, 2))
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )

  it.scoped("delivers in the order of the numbers to every listener, whoever publishes", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      const listeners = yield* Effect.forEach(upTo(10), () => bus.subscribe)
      const readers = yield* Effect.forEach(listeners, (events) => Effect.fork(sequences(600)(events)))
      yield* Effect.forEach(
        upTo(20),
        (publisher) =>
          Effect.forEach(upTo(30), (index) => bus.publish(sampling(publisher * 1000 + index))).pipe(
            Effect.withScheduler(restless(publisher))
          ),
        { concurrency: "unbounded", discard: true }
      )
      for (const reader of readers) assert.deepStrictEqual(yield* Fiber.join(reader), upTo(600))
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )

  it.scoped("lets a slow listener lose the oldest, and only that one, and shows it by the numbers", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      const slow = yield* bus.subscribe
      const quick = yield* bus.subscribe
      yield* Effect.forEach(upTo(5), () => bus.publish(snapshotEvent))
      assert.deepStrictEqual(yield* sequences(5)(quick), upTo(5))
      yield* Effect.forEach(upTo(6), () => bus.publish(snapshotEvent))
      assert.deepStrictEqual(yield* sequences(8)(slow), upTo(11, 4))
    }).pipe(Effect.provide(MemoryEventBus.layer({ capacity: 8 })))
  )

  it.scoped("does not let an interrupted publisher leave a hole", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      const events = yield* bus.subscribe
      for (const round of upTo(40)) {
        const publisher = yield* Effect.fork(
          Effect.withScheduler(Effect.forever(bus.publish(snapshotEvent)), restless(round))
        )
        yield* Effect.repeatN(Effect.yieldNow(), 5 + (round % 11))
        yield* Fiber.interrupt(publisher)
      }
      const { sequence: count } = yield* bus.publish(snapshotEvent)
      assert.isAbove(count, 40)
      assert.deepStrictEqual(yield* sequences(count)(events), upTo(count))
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )

  it.scoped("ends the streams when it closes, and interrupts nobody", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const bus = yield* Layer.build(MemoryEventBus.layer()).pipe(
        Scope.extend(scope),
        Effect.flatMap((context) => Effect.provide(EventBus, context))
      )
      const events = yield* bus.subscribe
      const received = yield* Deferred.make<void>()
      const reader = yield* Effect.fork(
        Stream.runCount(Stream.tap(events, () => Deferred.succeed(received, undefined)))
      )
      yield* bus.publish(snapshotEvent)
      yield* Deferred.await(received)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(reader), 1)
      assert.strictEqual((yield* bus.publish(snapshotEvent)).sequence, 2)
      assert.strictEqual(yield* Stream.runCount(yield* bus.subscribe), 0)
    })
  )

  it.scoped("replays what it keeps after a number, then what comes, each once", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      yield* Effect.forEach(upTo(3000), () => bus.publish(snapshotEvent), { discard: true })
      const { events, gap } = yield* bus.subscribeFrom(500)
      assert.isUndefined(gap)
      const reader = yield* Effect.fork(sequences(3500)(events))
      for (const round of upTo(20)) {
        yield* Effect.forEach(upTo(50), () => bus.publish(snapshotEvent), { discard: true })
        yield* Effect.repeatN(Effect.yieldNow(), round)
      }
      assert.deepStrictEqual(yield* Fiber.join(reader), upTo(4000, 501))
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )

  it.scoped("says what it does not keep any more, by count or by bytes", () =>
    Effect.gen(function* () {
      const by = (options: MemoryEventBus.EventBusOptions) =>
        Effect.gen(function* () {
          const bus = yield* MemoryEventBus.make(options)
          yield* Effect.forEach(upTo(100), () => bus.publish(snapshotEvent), { discard: true })
          const { events, gap } = yield* bus.subscribeFrom(10)
          const first = yield* sequences(1)(events)
          assert.deepStrictEqual(gap, { _tag: "Gap", from: 11, to: (first[0] ?? 0) - 1 })
          return first[0]
        })
      assert.strictEqual(yield* by({ capacity: 20 }), 81)
      const oldest = yield* by({ bytes: 16 * 1024 })
      assert.isAbove(oldest ?? 0, 80)
      assert.isBelow(oldest ?? 0, 95)
    })
  )

  it.scoped("keeps the newest event however large it is", () =>
    Effect.gen(function* () {
      const bus = yield* MemoryEventBus.make({ bytes: 10 })
      yield* bus.publish(sampling(1))
      yield* bus.publish(sampling(2))
      const { events, gap } = yield* bus.subscribeFrom(0)
      assert.deepStrictEqual(gap, { _tag: "Gap", from: 1, to: 1 })
      assert.deepStrictEqual(yield* sequences(1)(events), [2])
    })
  )

  it.scoped("takes a number that is not reached yet for one of another run", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      assert.isUndefined((yield* bus.subscribeFrom(7)).gap)
      yield* Effect.forEach(upTo(5), () => bus.publish(snapshotEvent))
      assert.isUndefined((yield* bus.subscribeFrom(5)).gap)
      const { events, gap } = yield* bus.subscribeFrom(6)
      assert.deepStrictEqual(gap, { _tag: "Gap", from: 1, to: 5 })
      yield* bus.publish(snapshotEvent)
      assert.deepStrictEqual(yield* sequences(1)(events), [6])
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )

  it.scoped("lets nothing come between what a step reads, changes and tells", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      let state = 0
      const change = bus.inOneStep(({ sequence, tell }) => {
        state++
        assert.strictEqual(tell(snapshotEvent).sequence, state)
        assert.strictEqual(sequence(), state)
      })
      const look = bus.inOneStep(({ sequence }) => [state, sequence()])
      const seen = yield* Effect.forEach(
        upTo(200),
        (index) => (index % 3 === 0 ? look : Effect.zipRight(change, look)).pipe(Effect.zipLeft(Effect.yieldNow())),
        { concurrency: "unbounded" }
      )
      assert.isTrue(seen.every(([state, sequence]) => state === sequence))
      assert.strictEqual(yield* bus.sequence, state)
    }).pipe(Effect.provide(MemoryEventBus.layer()))
  )
})
