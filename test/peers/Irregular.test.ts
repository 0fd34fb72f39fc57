import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { peer } from "../probe/FakeWorld.ts"
import { layerSeeded } from "../Seeded.ts"
import { Fakes, timesOf, world } from "./Script.ts"

describe("the times at which a peer is asked", () => {
  it.effect("are never the same interval apart: at least test_interval, and a quarter more at most", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 minutes")
      const times = timesOf((yield* Fakes).script, peer.peerId)
      const intervals = times.slice(1).map((time, index) => time - (times[index] ?? 0))
      assert.isAtLeast(intervals.length, 20)
      assert.isTrue(intervals.every((ms) => ms >= 10_000 && ms <= 12_501))
      assert.lengthOf(new Set(intervals), intervals.length)
    }).pipe(Effect.provide(world(() => {}, {}, { random: layerSeeded })))
  )
})
