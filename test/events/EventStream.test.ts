import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Stream } from "effect"
import type { EventBody } from "../../src/domain/Event.ts"
import { makeEventStream } from "../../src/events/EventStream.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { peerOf } from "../http/FakeDasmon.ts"
import { sampling, snapshotEvent } from "./fixtures.ts"

const tracked = (peerId: string): EventBody => ({
  _tag: "NodeTracking",
  change: "tracked",
  detail: "",
  peer: peerOf(peerId),
  peerId
})

const taken = <A>(count: number, stream: Stream.Stream<A>) =>
  Effect.map(Stream.runCollect(Stream.take(stream, count)), Chunk.toReadonlyArray)

/** Lets forked fibers run until they wait. */
const settle = Effect.repeatN(Effect.yieldNow(), 100)

describe("the event stream", () => {
  it.scoped("is every event from the moment at which it is run", () =>
    Effect.gen(function* () {
      const bus = yield* MemoryEventBus.make()
      const events = makeEventStream(bus)
      yield* bus.publish(snapshotEvent)
      const reader = yield* Effect.fork(taken(2, events))
      yield* settle
      const published = [yield* bus.publish(sampling(1)), yield* bus.publish(snapshotEvent)]
      assert.deepStrictEqual(yield* Fiber.join(reader), published)
      assert.strictEqual(yield* events.sequence, 3)
    })
  )

  it.scoped("has the events of one kind with their type", () =>
    Effect.gen(function* () {
      const bus = yield* MemoryEventBus.make()
      const { of } = makeEventStream(bus)
      const probes = yield* Effect.fork(
        taken(
          2,
          of("Sampling").pipe(Stream.map(({ probe, sequence, timestamp }) => [probe.id, sequence, timestamp] as const))
        )
      )
      const two = yield* Effect.fork(
        taken(
          2,
          of("NodeTracking", "SystemSnapshot").pipe(
            Stream.map((event) => (event._tag === "NodeTracking" ? event.peerId : event.status.network))
          )
        )
      )
      yield* settle
      yield* bus.publish(sampling(42))
      yield* bus.publish(tracked("A"))
      yield* bus.publish(snapshotEvent)
      yield* bus.publish(sampling(43))
      assert.deepStrictEqual(yield* Fiber.join(probes), [
        ["42", 1, 0],
        ["43", 4, 0]
      ])
      assert.deepStrictEqual(yield* Fiber.join(two), ["A", "test"])
    })
  )

  it.scoped("goes on from a number, and tells what is lost from what is only passed over", () =>
    Effect.gen(function* () {
      const bus = yield* MemoryEventBus.make({ capacity: 4 })
      const { since } = makeEventStream(bus)
      for (const peer of ["A", "B", "A", "B", "A", "B"]) yield* bus.publish(tracked(peer))
      const summary = (stream: ReturnType<typeof since>, count: number) =>
        taken(
          count,
          Stream.map(stream, (event) => (event._tag === "Gap" ? `${event.from}-${event.to}` : event.sequence))
        )
      assert.deepStrictEqual(yield* summary(since(1), 5), ["2-2", 3, 4, 5, 6])
      assert.deepStrictEqual(yield* summary(since(2, { peer: "B" }), 2), [4, 6])

      // A reader that stops reading while more is published than is kept.
      const slow = yield* Stream.toPull(since(5, { peer: "A" }))
      assert.strictEqual(Chunk.size(yield* slow), 0)
      for (let index = 0; index < 6; index++) yield* bus.publish(tracked("A"))
      const rest = Chunk.toReadonlyArray(yield* slow)
      assert.deepStrictEqual(rest[0], { _tag: "Gap", from: 7, to: 8 })
      assert.deepStrictEqual(
        rest.slice(1).map((event) => event._tag !== "Gap" && event.sequence),
        [9, 10, 11, 12]
      )
    })
  )
})
