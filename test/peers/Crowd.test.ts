import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Option, PubSub, TestClock } from "effect"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import { slotAt } from "../../src/domain/network/Chain.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { chain, peer, statement } from "../probe/FakeWorld.ts"
import { dialled, Fakes, other, timesOf, view, world, type Script } from "./Script.ts"

/** What a peer says now, with a head that is `ahead` slots in the future. */
const saying = (forkDigest: string, ahead = 0) =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    ...statement(8),
    forkDigest,
    observedAt: now,
    headSlot: slotAt(chain, now) + ahead
  }))

const { forkDigest: ours } = statement(8)
const strange = "0xdeadbeef"
/** A third peer beside the two of the script. */
const third = { ...dialled, peerId: identityOf(1, "third").peerId }

const doubts = Effect.flatMap(Doubts, ({ all }) => all)

const watched = (prepare: (script: Script) => void, addresses = [dialled, other]) =>
  Layer.provideMerge(
    world((script) => prepare(script), { addresses }),
    Doubts.layer
  )

describe("peers that, taken together, say that we are wrong", () => {
  it.effect("are not sent away for their fork digest, and that is said until it is not so any more", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("10 seconds")
      // Two may be strangers by chance, for a moment.
      assert.deepStrictEqual(yield* doubts, [])
      yield* TestClock.adjust("1 minute")
      assert.match((yield* doubts).join(), /^2 of 2 peers have a fork digest that is not ours \(0xdeadbeef\)/)
      assert.deepStrictEqual([script.goodbyes, script.probes], [[], []])
      const { connected, lastFailure, verdict } = yield* view(peer.peerId)
      assert.deepStrictEqual([connected, lastFailure, verdict], [true, null, "unknown"])

      script.refresh = (peerId) => saying(peerId === peer.peerId ? ours : strange)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* doubts, [])
      assert.isNotEmpty(timesOf(script, peer.peerId))
      assert.deepStrictEqual(script.goodbyes[0], [other.peerId, 2])
    }).pipe(
      Effect.provide(
        watched((script) => {
          script.refresh = () => saying(strange)
        })
      )
    )
  )

  it.effect("have heads in the future of our clock: nobody is probed while it is so", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("5 seconds")
      assert.match((yield* doubts).join(), /^the heads of 3 peers are in the future of this machine's clock/)
      yield* TestClock.adjust("30 seconds")
      const soFar = script.probes.length
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(script.probes, soFar)
      const asked = yield* Effect.fork(Effect.flip(Effect.flatMap(Peers, ({ probe }) => probe(peer.peerId))))
      yield* TestClock.adjust("15 seconds")
      assert.include((yield* Fiber.join(asked)).message, "in the future of this machine's clock")
      script.refresh = () => saying(ours)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* doubts, [])
      assert.isAbove(script.probes.length, soFar)
    }).pipe(
      Effect.provide(
        watched(
          (script) => {
            script.refresh = () => saying(ours, 3600)
          },
          [dialled, other, third]
        )
      )
    )
  )

  const crowd = Array.from({ length: 20 }, (_, index) => identityOf(1, `stranger ${index}`).peerId)
  const comeToUs = Effect.gen(function* () {
    const { hub, script } = yield* Fakes
    for (const peerId of crowd) {
      script.up.add(peerId)
      yield* PubSub.publish(hub, { _tag: "Connected", peer: { peerId, address: "", agent: Option.none() } })
    }
  })
  const strangersSay = (script: Script) => {
    script.refresh = (peerId) => saying(crowd.includes(peerId) ? strange : ours)
  }

  it.effect("are not those that came by themselves, however many, while there are others", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      yield* comeToUs
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* doubts, [])
      assert.isAbove(timesOf(script, peer.peerId).length, 5)
      assert.sameMembers(
        script.goodbyes.map(([peerId]) => peerId),
        crowd
      )
    }).pipe(Effect.provide(watched(strangersSay, [dialled])))
  )

  it.effect("may be those that came by themselves where there is no one else", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      yield* comeToUs
      yield* TestClock.adjust("2 minutes")
      assert.match((yield* doubts).join(), /^20 of 20 peers have a fork digest that is not ours/)
      assert.deepStrictEqual((yield* Fakes).script.goodbyes, [])
    }).pipe(Effect.provide(watched(strangersSay, [])))
  )
})
