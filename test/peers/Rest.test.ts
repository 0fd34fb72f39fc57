import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, TestClock } from "effect"
import { Peers } from "../../src/peers/Peers.ts"
import { peer } from "../probe/FakeWorld.ts"
import { confirmed, leavesOut } from "./LeavesOut.ts"
import { dialled, Fakes, timesOf, world } from "./Script.ts"

const isTracked = Effect.map(Peers, ({ view }) => Option.isSome(view(peer.peerId)))
const presence = Effect.flatMap(Peers, ({ tracked }) =>
  Effect.map(tracked, (all) => all.find(({ peerId }) => peerId === peer.peerId))
)
const begin = Effect.flatMap(Peers, ({ track }) => track(dialled))

describe("a peer that is to go, for others to have their turn", () => {
  it.effect("goes with a Goodbye, and is not dialled again", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { rest } = yield* Peers
      yield* begin
      yield* TestClock.adjust("12 seconds")
      assert.deepInclude(yield* presence, {
        isConnected: true,
        connectedSince: Option.some(0),
        failedVisits: 0,
        isSettled: true,
        isConfigured: false
      })
      assert.isTrue(yield* rest(peer.peerId))
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* isTracked)
      assert.deepStrictEqual(script.goodbyes, [[peer.peerId, 129]])
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(script.connects, 1)
      assert.isTrue(yield* rest(peer.peerId), "one that is not there has gone")
    }).pipe(Effect.provide(world(undefined, { addresses: [] })))
  )

  it.effect("does not go in the middle of a probe, and is not asked anything new after it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { rest, view } = yield* Peers
      yield* begin
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(yield* rest(peer.peerId))
      yield* TestClock.adjust("4 seconds")
      const { outcomes } = Option.getOrThrow(view(peer.peerId))
      assert.strictEqual(outcomes.success, 1, "the probe came to its end")
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(timesOf(script, peer.peerId), 1)
      assert.isTrue(yield* rest(peer.peerId))
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = () => Effect.as(Effect.sleep("4 seconds"), Option.none())
          },
          { addresses: [] }
        )
      )
    )
  )

  it.effect("does not go while something is suspected of it: that is settled first, and nothing else is asked", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { rest } = yield* Peers
      yield* begin
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* presence, { isSettled: false })
      assert.isFalse(yield* rest(peer.peerId))
      const asked = timesOf(script, peer.peerId).length
      yield* TestClock.adjust("8 minutes")
      assert.isFalse(yield* rest(peer.peerId))
      assert.lengthOf(timesOf(script, peer.peerId), asked)
      yield* TestClock.adjust("10 minutes")
      assert.isNotEmpty(confirmed(script))
      assert.isTrue(yield* rest(peer.peerId))
      assert.lengthOf(timesOf(script, peer.peerId), asked + confirmed(script).length)
    }).pipe(Effect.provide(world(leavesOut([100, 200, 300]), { addresses: [], testInterval: Duration.seconds(10) })))
  )

  it.effect("stays if it is of the configuration", () =>
    Effect.gen(function* () {
      const { rest } = yield* Peers
      yield* TestClock.adjust("12 seconds")
      assert.isFalse(yield* rest(peer.peerId, true))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(yield* isTracked)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is not tracked any more once all has been halted", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { halt } = yield* Peers
      yield* halt
      yield* begin
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(script.connects, [])
    }).pipe(Effect.provide(world(undefined, { addresses: [] })))
  )
})
