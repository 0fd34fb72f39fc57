import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Ref, Scope, TestClock } from "effect"
import { makeRecorder, WriteError } from "../../../src/history/store/Recorder.ts"

const locked = new WriteError({ reason: "locked", passing: true })

/** A recorder of numbers into a list, which fails with `fault` as long as that says so. */
const fixture = (options: { capacity: number; fault?: (batch: ReadonlyArray<number>) => WriteError | undefined }) =>
  Effect.gen(function* () {
    const batches = yield* Ref.make<ReadonlyArray<ReadonlyArray<number>>>([])
    const recorder = yield* makeRecorder<number>({
      weigh: () => 1,
      capacity: options.capacity,
      write: (batch) =>
        Effect.suspend(() => {
          const fault = options.fault?.(batch)
          return fault === undefined ? Ref.update(batches, (all) => [...all, batch]) : Effect.fail(fault)
        })
    })
    return { ...recorder, batches, written: Effect.map(Ref.get(batches), (all) => all.flat()) }
  })

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

describe("Recorder", () => {
  it.scoped("writes in order, within 50 ms, what came together in one batch", () =>
    Effect.gen(function* () {
      const { batches, record } = yield* fixture({ capacity: 1000 })
      yield* Effect.forEach(numbers(100), record)
      yield* TestClock.adjust("49 millis")
      assert.deepStrictEqual(yield* Ref.get(batches), [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Ref.get(batches), [numbers(100)])
    })
  )

  it.scoped("writes at once when somebody waits for it", () =>
    Effect.gen(function* () {
      const { flush, record, written } = yield* fixture({ capacity: 1000 })
      yield* Effect.forEach(numbers(500), record)
      yield* flush
      assert.deepStrictEqual(yield* written, numbers(500))
      yield* record(500)
      yield* flush
      yield* flush
      assert.deepStrictEqual(yield* written, numbers(501))
    })
  )

  it.scoped("makes the recording wait while the queue is full, and loses nothing while it cannot write", () =>
    Effect.gen(function* () {
      let broken = true
      const { flush, record, written } = yield* fixture({ capacity: 10, fault: () => (broken ? locked : undefined) })
      const done = yield* Ref.make(0)
      const recording = yield* Effect.fork(
        Effect.forEach(numbers(25), (n) => Effect.zipRight(record(n), Ref.set(done, n + 1)))
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Ref.get(done), 10)
      const flushing = yield* Effect.fork(Effect.flip(flush))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(flushing)).message, "history: write: locked")
      broken = false
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(recording)
      yield* flush
      assert.deepStrictEqual(yield* written, numbers(25))
    })
  )

  it.scoped("leaves out the one record that no database would take", () =>
    Effect.gen(function* () {
      const { flush, record, written } = yield* fixture({
        capacity: 100,
        fault: (batch) => (batch.includes(3) ? new WriteError({ reason: "no such number", passing: false }) : undefined)
      })
      yield* Effect.forEach(numbers(6), record)
      yield* flush
      assert.deepStrictEqual(yield* written, [0, 1, 2, 4, 5])
    })
  )

  it.effect("writes what is queued when its scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { record, written } = yield* Scope.extend(fixture({ capacity: 1000 }), scope)
      yield* Effect.forEach(numbers(700), record)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* written, numbers(700))
    })
  )

  it.effect("closes within three seconds of a disk that does not write", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { record } = yield* Scope.extend(fixture({ capacity: 10, fault: () => locked }), scope)
      yield* record(1)
      const closed = yield* Deferred.make<void>()
      yield* Effect.fork(Effect.zipRight(Scope.close(scope, Exit.void), Deferred.succeed(closed, undefined)))
      yield* TestClock.adjust(Duration.millis(2999))
      assert.isFalse(yield* Deferred.isDone(closed))
      yield* TestClock.adjust(Duration.millis(1))
      yield* Deferred.await(closed)
    })
  )
})
