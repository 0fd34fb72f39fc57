import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, TestClock } from "effect"
import { Bandwidth } from "../../src/probe/Bandwidth.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { peer } from "../probe/FakeWorld.ts"
import { Fakes, saying, timesOf, view, world } from "./Script.ts"

describe("a probe that waits because of bandwidth_limit", () => {
  it.effect("is of the moment in which it asks: its peer is refreshed meanwhile, and nothing is held against it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0])
      assert.strictEqual((yield* (yield* Bandwidth).state).waiting, 1)
      yield* TestClock.adjust("15 seconds")
      // 400 KiB came, 32 were there, and 16 come back in a second.
      const [, second] = script.probes
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0, 23_001])
      assert.strictEqual(second?.asked.claims.current.headSlot, 1005, "as of the refresh after 20 s")
      const { lastFailure, verdict } = yield* view(peer.peerId)
      assert.deepStrictEqual([verdict, lastFailure], ["compliant", null])
      assert.strictEqual((yield* (yield* Bandwidth).state).waiting, 0)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.refresh = () => Effect.succeed({ ...saying(8), headSlot: 999 + script.refreshes.length })
            script.result = () => ({ probe: { bytes: 400 * 2 ** 10 } })
          },
          {},
          { bandwidth: 16 * 2 ** 10 }
        )
      )
    )
  )

  it.effect("is given up after a while, and whoever waits for it is told why", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const peers = yield* Peers
      yield* TestClock.adjust("9 seconds")
      const wanted = yield* Effect.fork(Effect.flip(peers.probe(peer.peerId)))
      yield* TestClock.adjust("42 seconds")
      const error = yield* Fiber.join(wanted)
      assert.include(error.message, "bandwidth_limit")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0])
      assert.deepStrictEqual(Option.isSome((yield* Peers).view(peer.peerId)), true)
      yield* TestClock.adjust(Duration.minutes(2))
      assert.isAbove(timesOf(script, peer.peerId).length, 1, "it goes on when what was taken is paid off")
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.result = () => ({ probe: { bytes: 2 ** 20 } })
          },
          {},
          { bandwidth: 16 * 2 ** 10 }
        )
      )
    )
  )
})
