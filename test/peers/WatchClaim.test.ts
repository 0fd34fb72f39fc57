import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, TestClock } from "effect"
import { History } from "../../src/history/store/History.ts"
import { peer } from "../probe/FakeWorld.ts"
import { dialled, layerIdleSampler, saying, type Script, view, world } from "./Script.ts"

/** A refresh a minute, and the head grows by 32 slots between two of them. */
const slowly = { addresses: [dialled], testInterval: Duration.minutes(30), refreshInterval: Duration.minutes(1) }
const watched = (earliest: (headSlot: number) => number) =>
  world(
    (script: Script) => {
      script.refresh = () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const headSlot = 1000 + 32 * Math.floor(now / 60_000)
          return { ...saying(8, earliest(headSlot)), headSlot }
        })
    },
    slowly,
    { sampler: layerIdleSampler }
  )

/** How often it was told that the peer claims none but the newest slot: by the peer's state, and by the history. */
const told = Effect.gen(function* () {
  const { findings } = yield* view(peer.peerId)
  const kept = yield* Effect.flatMap(History, (history) => history.peer(peer.peerId))
  return [findings.earliest_slot_at_head ?? 0, kept.findings.earliest_slot_at_head ?? 0]
})

describe("a peer that claims none but the newest slots", () => {
  it.effect("is named after 256 slots of it, and then once in as many", () =>
    Effect.gen(function* () {
      const after: Array<ReadonlyArray<number>> = []
      for (const minutes of [7, 2, 6, 2, 8]) {
        yield* TestClock.adjust(Duration.minutes(minutes))
        after.push(yield* told)
      }
      assert.deepStrictEqual(after, [
        [0, 0],
        [1, 1],
        [1, 1],
        [2, 2],
        [3, 3]
      ])
      assert.strictEqual((yield* view(peer.peerId)).verdict, "unknown")
    }).pipe(Effect.provide(watched((headSlot) => headSlot - (headSlot % 32))))
  )

  it.effect("is not one that starts, and whose head leaves its earliest slot behind", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("40 minutes")
      assert.deepStrictEqual(yield* told, [0, 0])
      // It starts anew every 224 slots.
    }).pipe(Effect.provide(watched((headSlot) => (headSlot % 224 < 64 ? headSlot - 64 : headSlot))))
  )

  it.effect("is not one with a single epoch that it can be asked for", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("40 minutes")
      assert.deepStrictEqual(yield* told, [0, 0])
    }).pipe(Effect.provide(watched((headSlot) => headSlot - 32)))
  )
})
