import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Ref, Stream, TestClock } from "effect"
import type { CustodyUpdate } from "../../src/domain/Event.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import { History } from "../../src/history/store/History.ts"
import { peer } from "../probe/FakeWorld.ts"
import { Fakes, saying, view, world } from "./Script.ts"

const updates = Effect.gen(function* () {
  const told = yield* Ref.make<ReadonlyArray<CustodyUpdate>>([])
  const events = yield* Effect.flatMap(EventBus, (bus) => bus.subscribeFrom(0))
  const fiber = yield* Effect.fork(
    Stream.runForEach(events.events, (event) =>
      event._tag === "CustodyUpdate" ? Ref.update(told, (all) => [...all, event]) : Effect.void
    )
  )
  return { told, stop: Fiber.interrupt(fiber) }
})

/** Probed once, so that the looks are what takes time. */
const seldom = { testInterval: Duration.hours(1) }

describe("a peer that moves its claim at every look", () => {
  it.effect("is told of a few times at once and then seldom, kept of little, and judged by all of it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      let looks = 0
      script.refresh = () => Effect.sync(() => ({ ...saying(looks++ % 2 === 0 ? 8 : 6), sequenceNumber: 1000 - looks }))
      const { stop, told } = yield* updates
      yield* TestClock.adjust("12 minutes")
      const all = yield* Ref.get(told)
      assert.isAbove(looks, 150)
      assert.isAtMost(all.length, 16 + 3)
      assert.isAbove(all.length, 16)
      // Each follows on the one before, and none of what was odd is untold.
      for (const [index, { claim, previous }] of all.entries()) {
        if (index > 0 && previous !== null) assert.isAtMost(previous.observedAt, claim.observedAt)
      }
      assert.deepStrictEqual(
        all
          .at(-1)
          ?.findings.map(({ kind }) => kind)
          .sort(),
        ["custody_count_decreased", "sequence_number_decreased"]
      )
      const { findings } = yield* view(peer.peerId)
      assert.strictEqual(findings.sequence_number_decreased, looks - 1)
      const history = yield* History
      assert.isAtMost((yield* history.claims(peer.peerId)).length, 24)

      yield* stop
    }).pipe(Effect.provide(world(() => {}, seldom)))
  )

  it.effect("is told of to the end once it holds still", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      let looks = 0
      script.refresh = () => Effect.sync(() => saying(4 + (looks++ % 60)))
      const { stop, told } = yield* updates
      yield* TestClock.adjust("3 minutes")
      script.refresh = () => Effect.succeed(saying(77))
      yield* TestClock.adjust("6 minutes")
      const last = Option.fromNullable((yield* Ref.get(told)).at(-1))
      assert.deepStrictEqual(
        Option.map(last, ({ claim }) => claim.custodyGroupCount),
        Option.some(77)
      )
      yield* stop
    }).pipe(Effect.provide(world(() => {}, seldom)))
  )
})
