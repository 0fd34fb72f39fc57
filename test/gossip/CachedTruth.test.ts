import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, TestClock } from "effect"
import type { Asker } from "../../src/gossip/Asker.ts"
import { makeCachedTruth } from "../../src/gossip/CachedTruth.ts"
import type { ImportedBlock } from "../../src/host/GossipTruth.ts"
import { parameters } from "./Columns.ts"

const peer = (peer: string): Asker => ({ _tag: "Peer", peer, isProven: false })
const signed: Asker = { _tag: "Signed", proposerIndex: 7 }

/** A node that has the blocks of `has`; its head is to be changed. */
const world = () => {
  const state = { head: 100, asked: 0 }
  const has = new Set<string>()
  const hold = new Map<string, Deferred.Deferred<void>>()
  const find = (root: string): Option.Option<ImportedBlock> =>
    has.has(root) ? Option.some({ slot: 90, root, parentRoot: "0x00", isCanonical: true }) : Option.none()
  const epochs: Array<number> = []
  const truth = makeCachedTruth(
    parameters,
    {
      block: (root) =>
        Effect.gen(function* () {
          state.asked++
          const gate = hold.get(root)
          if (gate !== undefined) yield* Deferred.await(gate)
          return find(root)
        }),
      proposers: (epoch) =>
        Effect.sync(() => {
          epochs.push(epoch)
          return { epoch, decidedAt: 0, dependentRoot: "0x00", bySlot: new Map() }
        }),
      validatorKey: () => Effect.sync(() => (state.asked++, Option.none()))
    },
    { reorgs: () => 0, headSlot: Effect.sync(() => state.head) }
  )
  return { state, has, hold, epochs, truth }
}

describe("what the beacon node answered about gossip", () => {
  it.effect("that there is no such block is remembered for a second, or until the head is another", () =>
    Effect.gen(function* () {
      const { has, state, truth } = world()
      const look = (from: string) => Effect.map(truth.block("0xaa", peer(from)), Option.isSome)
      for (const from of ["a", "b", "c"]) assert.isFalse(yield* look(from))
      assert.strictEqual(state.asked, 1)
      has.add("0xaa")
      assert.isFalse(yield* look("d"))
      state.head++
      assert.isTrue(yield* look("d"))
      assert.strictEqual(state.asked, 2)
      const key = () => truth.validatorKey(5000, peer("e"))
      assert.isTrue(Option.isNone(yield* key()))
      assert.isTrue(Option.isNone(yield* key()))
      assert.strictEqual(state.asked, 3)
      yield* TestClock.adjust("1 second")
      yield* key()
      assert.strictEqual(state.asked, 4)
    })
  )

  it.effect("is not waited for by a signed block while the node is slow with what strangers sent", () =>
    Effect.gen(function* () {
      const { has, hold, truth } = world()
      hold.set("0xslow", yield* Deferred.make<void>())
      has.add("0xgood")
      yield* Effect.fork(Effect.either(truth.block("0xslow", peer("stranger"))))
      yield* Effect.yieldNow()
      const good = yield* Effect.fork(truth.block("0xgood", signed))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Option.isSome(yield* Fiber.join(good)))
    })
  )

  it.effect("about the present's proposers is asked for once, whatever other epochs strangers name", () =>
    Effect.gen(function* () {
      const { epochs, truth } = world()
      yield* TestClock.setTime(100 * 32 * parameters.slotDurationMs)
      for (let at = 0; at < 40; at++) {
        yield* Effect.either(truth.proposers(at, peer(`stranger ${at}`)))
        yield* truth.proposers(100, peer("honest"))
        yield* TestClock.adjust("100 millis")
      }
      assert.strictEqual(epochs.filter((epoch) => epoch === 100).length, 1)
      assert.isAbove(epochs.length, 9)
    })
  )
})
