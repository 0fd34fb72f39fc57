import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, PubSub, TestClock } from "effect"
import { Peers } from "../../src/peers/Peers.ts"
import { makeStrangerBudget, roomFor, type Tracked } from "../../src/peers/MakeRoom.ts"
import { dialled, Fakes, layerIdleSampler, other, view, world } from "./Script.ts"

const now = 1_000_000
const tracked = (peerId: string, over: Partial<Tracked> = {}): Tracked => ({
  peerId,
  isConfigured: false,
  isConnected: true,
  isDialable: false,
  hasAnswered: true,
  isProven: false,
  since: 0,
  ...over
})
const gone = (peerId: string) => tracked(peerId, { isConnected: false })

describe("room for one more peer", () => {
  it("is there until all places are taken", () => {
    assert.deepStrictEqual(roomFor([tracked("a"), gone("b")], { maxPeers: 3, now }), {
      hasRoom: true,
      goes: undefined
    })
  })

  it("is made by the first that left unknown, then by one that never answered, and by nobody else", () => {
    const silent = tracked("silent", { hasAnswered: false })
    const steady = [
      tracked("configured", { isConfigured: true, isConnected: false, hasAnswered: false }),
      tracked("here"),
      tracked("known", { isProven: true, isConnected: false }),
      tracked("dialled", { isDialable: true, isConnected: false }),
      tracked("new", { hasAnswered: false, since: now - 1000 })
    ]
    const room = (...peers: ReadonlyArray<Tracked>) => roomFor(peers, { maxPeers: peers.length, now })
    assert.deepStrictEqual(room(...steady, silent, gone("first"), gone("second")), { hasRoom: true, goes: "first" })
    assert.deepStrictEqual(room(...steady, silent), { hasRoom: true, goes: "silent" })
    assert.deepStrictEqual(room(...steady), { hasRoom: false, goes: undefined })
  })

  it("is made by one that answered once, delivered nothing in an hour, and is away", () => {
    const dark = tracked("dark", { isDialable: true, isConnected: false })
    const peers = [tracked("here", { isDialable: true }), dark]
    const at = (now: number) => roomFor(peers, { maxPeers: 2, now }).goes
    assert.strictEqual(at(3_599_999), undefined)
    assert.strictEqual(at(3_600_000), "dark")
  })

  it("is not taken up by those that left unknown, also while there is much of it", () => {
    const many = Array.from({ length: 256 }, (_, index) => gone(`${index}`))
    assert.deepStrictEqual(roomFor(many, { maxPeers: 10_000, now }), { hasRoom: true, goes: "0" })
  })

  it("is for many strangers at once, and then for one a second", () => {
    const { take } = makeStrangerBudget()
    const taken = (at: number, tries: number) => Array.from({ length: tries }, () => take(at)).filter(Boolean).length
    assert.strictEqual(taken(0, 1000), 512)
    assert.strictEqual(taken(10_000, 1000), 10)
    assert.strictEqual(taken(3_600_000, 1000), 512)
  })
})

describe("a flood of identities", () => {
  const arrive = (peerId: string) =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      script.up.add(peerId)
      yield* PubSub.publish(hub, { _tag: "Connected", peer: { peerId, address: "", agent: Option.none() } })
    })
  const leave = (peerId: string) =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      script.up.delete(peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId, goodbye: Option.none() })
    })

  it.effect("keeps few places, costs a bounded number of actors, and keeps out nobody who stays", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { views } = yield* Peers
      const met = new Set<string>()
      for (let round = 0; round < 60; round++) {
        const flood = Array.from({ length: 25 }, (_, index) => `flood ${round} ${index}`)
        yield* Effect.forEach(flood, arrive, { discard: true })
        // In the middle of it somebody comes who means it.
        if (round === 40) yield* arrive(other.peerId)
        yield* TestClock.adjust("200 millis")
        yield* Effect.forEach(flood, leave, { discard: true })
        yield* TestClock.adjust("100 millis")
        for (const { peerId } of views()) met.add(peerId)
        assert.isAtMost(views().length, 256 + 25 + 2)
      }
      assert.isAtMost(met.size, 512 + 60)
      yield* TestClock.adjust("12 seconds")
      assert.isTrue((yield* view(other.peerId)).connected)
      assert.isTrue((yield* view(dialled.peerId)).connected)
      assert.include(script.refreshes, dialled.peerId)
      assert.isAbove((yield* Peers).passedOver(), 500)
      yield* TestClock.adjust("2 minutes")
      assert.sameMembers(
        views().map(({ peerId }) => peerId),
        [dialled.peerId, other.peerId]
      )
    }).pipe(Effect.provide(world(() => {}, { maxPeers: 1000 }, { sampler: layerIdleSampler })))
  )

  it.effect("that stays connected and never answers makes room, and a peer of the configuration always has some", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { views } = yield* Peers
      yield* Effect.forEach(["a", "b", "c"], arrive, { discard: true })
      yield* TestClock.adjust("5 seconds")
      assert.isTrue((yield* view(dialled.peerId)).connected)
      assert.lengthOf(views(), 3)
      yield* arrive(other.peerId)
      yield* TestClock.adjust("2 minutes")
      assert.isTrue((yield* view(other.peerId)).connected)
      assert.lengthOf(views(), 3)
      assert.deepInclude(script.goodbyes, ["a", 129])
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            const { refresh } = script
            script.refresh = (peerId) => (peerId.length === 1 ? Effect.never : refresh(peerId))
          },
          { maxPeers: 3 }
        )
      )
    )
  )
})
