import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, PubSub, Queue, Stream, TestClock } from "effect"
import * as MemoryBook from "../../src/discovery/book/MemoryBook.ts"
import { Discovery, type NodeFound } from "../../src/discovery/Discovery.ts"
import { PeerDisconnected } from "../../src/domain/probe/Outcome.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { Providers } from "../../src/peers/Providers.ts"
import { PeerSet } from "../../src/peers/set/PeerSet.ts"
import { nodeOf, peerIdOf } from "../discovery/book/Nodes.ts"
import { dialled, Fakes, other, type Script, view, world } from "./Script.ts"

/** Minutes matter here. */
const slowly = { testInterval: Duration.minutes(5), refreshInterval: Duration.minutes(5) }
const provider = other

const relyingOn = (found: Stream.Stream<NodeFound>, prepare?: (script: Script) => void) =>
  Providers.layer([provider]).pipe(
    Layer.provideMerge(
      PeerSet.layer({
        addresses: [dialled, provider],
        allows: () => true,
        verdictWindow: Duration.days(7),
        testInterval: slowly.testInterval,
        targetPeers: 3,
        peersPerColumn: 0
      })
    ),
    Layer.provideMerge(
      world(prepare, { addresses: [dialled], providers: [provider], disconnectBelow: Option.some(0.9), ...slowly })
    ),
    Layer.provideMerge(MemoryBook.layer()),
    Layer.provide(Discovery.layerOf(found))
  )

const shown = Effect.flatMap(Providers, ({ view }) => view)

describe("a provider", () => {
  it.effect("is kept connected with growing pauses, and shown with its uptime, latency and losses", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("30 seconds")
      const { providers } = yield* shown
      assert.deepInclude(providers[0], { peerId: provider.peerId, connected: true, losses: 0, latencyMs: 1 })
      assert.isTrue((yield* view(provider.peerId)).isProvider)
      assert.isFalse((yield* view(dialled.peerId)).isProvider)
      script.connect = ({ peerId }) =>
        peerId === provider.peerId
          ? Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
          : Effect.void
      script.up.delete(provider.peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: provider.peerId, goodbye: Option.none() })
      const tries = () => script.connects.filter((peerId) => peerId === provider.peerId).length
      const before = tries()
      yield* TestClock.adjust("40 minutes")
      assert.isAtLeast(tries() - before, 3)
      assert.isAtMost(tries() - before, 10)
      script.connect = () => Effect.void
      yield* TestClock.adjust("10 minutes")
      const after = (yield* shown).providers[0]
      assert.deepInclude(after, { connected: true, losses: 1 })
      assert.isAbove(after?.uptime ?? 0, 0)
      assert.isBelow(after?.uptime ?? 1, 0.5)
      // Whatever its score, it is not sent away.
      assert.deepStrictEqual(script.goodbyes, [])
    }).pipe(Effect.provide(relyingOn(Stream.never)))
  )

  it.effect("is followed to the address of a newer record, and nodes that keep everything are candidates", () =>
    Effect.gen(function* () {
      const found = yield* Queue.unbounded<NodeFound>()
      yield* Effect.gen(function* () {
        const peers = yield* Peers
        yield* TestClock.adjust("10 seconds")
        const moved = { ...provider, multiaddrs: ["/ip4/192.0.2.7/tcp/9000"] }
        const record = (seq: bigint, address = moved): NodeFound => ({ address, seq, source: "discv5" })
        yield* Queue.offer(found, record(7n))
        const [node] = [nodeOf(3)]
        yield* Queue.offer(found, {
          address: { ...node.address, enrCustodyGroupCount: Option.some(128) },
          source: "discv5"
        })
        yield* TestClock.adjust("1 second")
        const addresses = () =>
          Option.match(peers.known(provider.peerId), { onNone: () => [], onSome: ({ address }) => address.multiaddrs })
        assert.deepStrictEqual(addresses(), [...moved.multiaddrs, ...provider.multiaddrs])
        // An older record takes nothing back.
        yield* Queue.offer(found, record(6n, { ...provider, multiaddrs: ["/ip4/192.0.2.9/tcp/9000"] }))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(addresses(), [...moved.multiaddrs, ...provider.multiaddrs])
        const { candidates } = yield* shown
        assert.deepStrictEqual(
          candidates.map(({ peerId }) => peerId),
          [peerIdOf(3)]
        )
      }).pipe(Effect.provide(relyingOn(Stream.fromQueue(found))))
    })
  )
})
