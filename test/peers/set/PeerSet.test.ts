import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option, PubSub, Queue, Stream, TestClock } from "effect"
import { AddressBook } from "../../../src/discovery/book/AddressBook.ts"
import type { Heard } from "../../../src/discovery/book/BookEntry.ts"
import * as MemoryBook from "../../../src/discovery/book/MemoryBook.ts"
import { Discovery, type NodeFound } from "../../../src/discovery/Discovery.ts"
import { PeerDisconnected } from "../../../src/domain/probe/Outcome.ts"
import { Peers } from "../../../src/peers/Peers.ts"
import { PeerSet } from "../../../src/peers/set/PeerSet.ts"
import { nodeOf, peerIdOf } from "../../discovery/book/Nodes.ts"
import { peer } from "../../probe/FakeWorld.ts"
import { dialled, Fakes, layerIdleSampler, type Parts, type Script, world } from "../Script.ts"

/** Each at a place of its own. */
const found = (n: number, over: Partial<Heard> = {}): NodeFound => ({
  ...nodeOf(n, over),
  address: { ...nodeOf(n).address, multiaddrs: [`/ip4/${20 + n}.1.1.1/tcp/9000`] },
  source: "discv5"
})

/** More than there is room for are known, but of those nobody has an address. */
const beyondReach = [2, 3, 4].map((n): NodeFound => ({
  ...found(n),
  address: { ...nodeOf(n).address, multiaddrs: [] }
}))

/** A peer set of three, over nodes that discovery finds. */
const set = (
  nodes: Stream.Stream<NodeFound>,
  prepare?: (script: Script) => void,
  { book = MemoryBook.layer(), parts = {} }: { readonly book?: Layer.Layer<AddressBook>; readonly parts?: Parts } = {}
) =>
  PeerSet.layer({
    addresses: [dialled],
    allows: () => true,
    verdictWindow: Duration.days(7),
    testInterval: slowly.testInterval,
    targetPeers: 3,
    peersPerColumn: 0
  }).pipe(
    Layer.provideMerge(world(prepare, { addresses: [dialled], ...slowly }, parts)),
    Layer.provideMerge(book),
    Layer.provide(Discovery.layerOf(nodes))
  )

/** Minutes matter here. */
const slowly = { testInterval: Duration.minutes(1), refreshInterval: Duration.minutes(1) }

const connected = Effect.flatMap(Peers, ({ tracked }) =>
  Effect.map(tracked, (all) => all.filter(({ isConnected }) => isConnected).map(({ peerId }) => peerId))
)
const entry = (peerId: string) => Effect.map(AddressBook, (book) => book.entries().get(peerId))
const unreachable = (script: Script) => {
  script.connect = ({ peerId }) =>
    peerId === peer.peerId ? Effect.void : Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
}

describe("the peer set", () => {
  it.effect("takes up what discovery finds as far as there is room, and audits all of it in the end", () =>
    Effect.gen(function* () {
      const nodes = Array.from({ length: 8 }, (_, n) => peerIdOf(n))
      yield* TestClock.adjust("30 seconds")
      const first = yield* connected
      assert.include(first, peer.peerId)
      assert.isAtLeast(first.length, 3)
      assert.isAtMost(first.length, 4)
      let most = 0
      for (let minute = 0; minute < 40; minute++) {
        yield* TestClock.adjust("1 minute")
        most = Math.max(most, (yield* connected).length)
        assert.include(yield* connected, peer.peerId, "those of the configuration stay")
      }
      assert.isAtMost(most, 5)
      for (const peerId of nodes) {
        assert.isTrue(Option.isSome((yield* entry(peerId))?.auditedAt ?? Option.none()), peerId)
      }
      const { script } = yield* Fakes
      const goodbyes = script.goodbyes.map(([peerId, code]) => [nodes.includes(peerId), code])
      assert.isAtLeast(goodbyes.length, 6)
      for (const goodbye of goodbyes) assert.deepStrictEqual(goodbye, [true, 129])
      // An hour is not over: nobody was dialled twice.
      assert.strictEqual(script.connects.length, new Set(script.connects).size)
      const progress = (yield* PeerSet).progress()
      assert.deepInclude(progress, { known: 9, reachable: 9, audited: { hour: 9, day: 9, window: 9 } })
    }).pipe(Effect.provide(set(Stream.fromIterable(Array.from({ length: 8 }, (_, n) => found(n))))))
  )

  it.effect("dials those whom the book knows before anything is found", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      assert.sameMembers(yield* connected, [peer.peerId, peerIdOf(1)])
    }).pipe(
      Effect.provide(
        set(Stream.never, undefined, {
          book: Layer.tap(MemoryBook.layer(), (context) => Context.get(context, AddressBook).hear(found(1)))
        })
      )
    )
  )

  it.effect("lets go of those that it cannot reach, and tries them again ever more seldom", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const tries = () => script.connects.filter((peerId) => peerId === peerIdOf(1)).length
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(tries(), 1)
      assert.isTrue(Option.isNone((yield* Peers).view(peerIdOf(1))))
      assert.strictEqual((yield* entry(peerIdOf(1)))?.failures, 1)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(tries(), 2)
      yield* TestClock.adjust("7 minutes")
      assert.strictEqual(tries(), 2)
      yield* TestClock.adjust("1 hour")
      assert.isAtMost(tries(), 5)
    }).pipe(Effect.provide(set(Stream.make(found(1), ...beyondReach), unreachable)))
  )

  it.effect("lets nobody go of a network that fits into it: who is away is waited for", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("6 seconds")
      script.up.delete(peerIdOf(1))
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peerIdOf(1), goodbye: Option.none() })
      for (let minute = 0; minute < 90; minute++) {
        yield* TestClock.adjust("1 minute")
        assert.isTrue(Option.isSome((yield* Peers).view(peerIdOf(1))))
        assert.isTrue(Option.isSome((yield* Peers).view(peerIdOf(2))))
      }
      assert.sameMembers(yield* connected, [peer.peerId, peerIdOf(1)])
      assert.deepStrictEqual(script.goodbyes, [])
    }).pipe(
      Effect.provide(
        set(Stream.make(found(1), found(2)), (script) => {
          script.connect = ({ peerId }) =>
            peerId === peerIdOf(2)
              ? Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
              : Effect.void
        })
      )
    )
  )

  it.effect("leaves a peer alone that has no room for us, and asks again at other hours", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const full = peerIdOf(1)
      const tries = () => script.connects.filter((peerId) => peerId === full).length
      const sendAway = Effect.gen(function* () {
        if (!script.up.delete(full)) return
        yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: full, goodbye: Option.some(129) })
      })
      yield* TestClock.adjust("6 seconds")
      yield* sendAway
      yield* TestClock.adjust("590 seconds")
      assert.strictEqual(tries(), 1)
      yield* TestClock.adjust("100 seconds")
      yield* sendAway
      assert.strictEqual(tries(), 2)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(tries(), 2)
      for (let step = 0; step < 20; step++) {
        yield* TestClock.adjust("1 minute")
        yield* sendAway
      }
      assert.strictEqual(tries(), 3)
      assert.isAbove((yield* entry(full))?.notBefore ?? 0, 5 * 3_600_000)
    }).pipe(
      Effect.provide(set(Stream.make(found(1), ...beyondReach), undefined, { parts: { sampler: layerIdleSampler } }))
    )
  )

  it.effect("takes down whoever comes by itself, and does not send it away", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const stranger = peerIdOf(3)
      script.up.add(stranger)
      yield* PubSub.publish(hub, {
        _tag: "Connected",
        peer: { peerId: stranger, address: "/ip4/10.0.0.1/tcp/1", agent: Option.none() }
      })
      yield* TestClock.adjust("1 hour")
      assert.include(yield* connected, stranger)
      assert.deepStrictEqual(
        script.goodbyes.filter(([peerId]) => peerId === stranger),
        []
      )
      assert.deepInclude(yield* entry(stranger), { source: "inbound", multiaddrs: [] })
    }).pipe(Effect.provide(set(Stream.fromIterable(Array.from({ length: 8 }, (_, n) => found(n + 10))))))
  )

  it.effect("goes on when discovery ends, and takes what comes late", () =>
    Effect.gen(function* () {
      const late = yield* Queue.unbounded<NodeFound>()
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* connected, [peer.peerId])
        yield* Queue.offer(late, found(1))
        yield* TestClock.adjust("10 seconds")
        assert.sameMembers(yield* connected, [peer.peerId, peerIdOf(1)])
      }).pipe(Effect.provide(set(Stream.fromQueue(late))))
    })
  )

  it.effect(
    "brings others beside its target for columns that are wanted, and lets go of as many as it has too many",
    () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("30 seconds")
        const before = yield* connected
        const { bring } = yield* PeerSet
        const all = { slot: 10, columns: Array.from({ length: 128 }, (_, column) => column), most: 16 }
        const { areMore, dialled: called } = yield* bring(all)
        assert.isFalse(areMore)
        yield* TestClock.adjust("1 second")
        const after = yield* connected
        assert.sameMembers(after, [peer.peerId, ...Array.from({ length: 8 }, (_, n) => peerIdOf(n))])
        assert.sameMembers(
          [...called],
          after.filter((peerId) => !before.includes(peerId))
        )
        // They are audited as all others, and it is three again in the end.
        yield* TestClock.adjust("20 minutes")
        assert.isAtMost((yield* connected).length, 5)
        assert.include(yield* connected, peer.peerId)
        // Whoever was there a while ago is let alone, whatever is wanted.
        const { script } = yield* Fakes
        assert.strictEqual(script.connects.length, new Set(script.connects).size)
        assert.deepStrictEqual((yield* bring(all)).dialled, [])
      }).pipe(Effect.provide(set(Stream.fromIterable(Array.from({ length: 8 }, (_, n) => found(n))))))
  )

  it.effect("dials who could not be reached before its time when its columns are wanted, once in a minute", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { bring } = yield* PeerSet
      const tries = () => script.connects.filter((peerId) => peerId === peerIdOf(1)).length
      yield* TestClock.adjust("3 minutes")
      const before = tries()
      const all = { slot: 10, columns: Array.from({ length: 128 }, (_, column) => column), most: 16 }
      assert.deepStrictEqual((yield* bring(all)).dialled, [peerIdOf(1)])
      assert.deepStrictEqual((yield* bring(all)).dialled, [])
      assert.deepStrictEqual((yield* bring({ ...all, columns: [] })).dialled, [])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tries(), before + 1)
    }).pipe(Effect.provide(set(Stream.make(found(1)), unreachable)))
  )
})
