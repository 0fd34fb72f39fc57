import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Option, Stream, TestClock } from "effect"
import { ColumnArrivals } from "../../src/arrival/ColumnArrivals.ts"
import { SubscribedColumns } from "../../src/arrival/SubscribedColumns.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import { type ChainParameters, slotStart } from "../../src/domain/network/Chain.ts"
import { columnTopic, parseColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { nodeIdOfPeerId } from "../../src/domain/peer/NodeId.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import { History } from "../../src/history/store/History.ts"
import * as ColumnGossip from "../../src/gossip/ColumnGossip.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Gossip } from "../../src/host/Gossip.ts"
import { Host } from "../../src/host/Host.ts"
import { makeGossip, makeJoinedTopics } from "../../src/host/libp2p/Libp2pGossip.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Verifier } from "../../src/kzg/Verifier.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"
import { peer } from "../probe/FakeWorld.ts"
import { parameters } from "./Columns.ts"

const layerParts = (chain: ChainParameters, peerId: string) =>
  Layer.mergeAll(
    Layer.mock(Externs, { chain }),
    Layer.mock(Host, { peerId, multiaddrs: [], connected: Effect.succeed([]) }),
    Layer.mock(CommitmentCache, {
      columnSlots: () => 0,
      replacedSince: (seen) => ({ seen, blocks: [] }),
      orphan: () => Option.none()
    }),
    Layer.mock(Verifier, {}),
    Layer.mock(ColumnArrivals, {}),
    Layer.mock(LiveMatrix, { changes: Stream.empty }),
    Layer.mock(History, {}),
    MemoryEvidence.layer(),
    MemoryEventBus.layer(),
    SubscribedColumns.layer
  )

const observe = { mode: "observe", columns: "custody", custodyGroupCount: 4 } as const

/** A gossip of which one sees what is joined, and how many were at most. */
const watchedGossip = () => {
  const joined = new Set<string>()
  const limits = new Set<number>()
  const most = { topics: 0 }
  const gossip = Layer.mock(Gossip, {
    columnTopicsOf: () => [],
    join: (topic, { mostBytes }) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => {
            joined.add(topic)
            limits.add(mostBytes)
            most.topics = Math.max(most.topics, joined.size)
          }),
          () => Effect.sync(() => joined.delete(topic))
        )
      )
  })
  return { joined, limits, most, gossip }
}

const ownColumns = (peerId: string) => custodyColumns(Either.getOrThrow(nodeIdOfPeerId(peerId)), 4)
const topicsAt = (chain: ChainParameters, peerId: string, slot: number) =>
  ownColumns(peerId).map((column) => columnTopic({ forkDigest: forkDigestOfSlot(chain, slot), column }))

describe("gossip of our own columns", () => {
  it.scoped(
    "joins their topics of the running digest, the next one's before a step, and leaves the old ones after it",
    () =>
      Effect.gen(function* () {
        const { gossip, joined, limits } = watchedGossip()
        const at = (slot: number) => TestClock.setTime(slotStart(parameters, slot) + 1)
        yield* at(10)
        yield* Layer.build(
          ColumnGossip.layer(observe).pipe(Layer.provide([layerParts(parameters, peer.peerId), gossip]))
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([...joined], [], "there are no columns before Fulu")
        const [before, after] = [topicsAt(parameters, peer.peerId, 50), topicsAt(parameters, peer.peerId, 96)]
        yield* at(50)
        assert.sameMembers([...joined], before)
        yield* at(93)
        yield* TestClock.adjust("500 millis")
        assert.sameMembers([...joined], before)
        yield* at(94)
        yield* TestClock.adjust("500 millis")
        assert.sameMembers([...joined], [...before, ...after], "two slots before the step")
        yield* at(98)
        yield* TestClock.adjust("500 millis")
        assert.sameMembers([...joined], after, "two slots after it")
        assert.deepStrictEqual([...limits], [356 + 2144 * 9, 356 + 2144 * 12])
      })
  )

  it.scoped("moves all columns in steps, with never more than 200 topics at once", () =>
    Effect.gen(function* () {
      const { gossip, joined, most } = watchedGossip()
      const at = (slot: number) =>
        Effect.zipRight(TestClock.setTime(slotStart(parameters, slot) + 1), TestClock.adjust("500 millis"))
      const under = (slot: number) => {
        const digest = forkDigestOfSlot(parameters, slot).slice(2)
        return [...joined].filter((topic) => topic.includes(digest)).length
      }
      const all = ColumnGossip.layer({ ...observe, columns: "all" })
      yield* TestClock.setTime(slotStart(parameters, 50) + 1)
      yield* Layer.build(all.pipe(Layer.provide([layerParts(parameters, peer.peerId), gossip])))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(under(50), 128)
      yield* at(94)
      assert.deepStrictEqual([under(95), under(96)], [128, 72], "what there is room for, before the step")
      for (const column of ownColumns(peer.peerId)) {
        assert.isTrue(joined.has(columnTopic({ forkDigest: forkDigestOfSlot(parameters, 96), column })))
      }
      yield* at(96)
      assert.deepStrictEqual([under(95), under(96)], [72, 128], "all of the new ones from the step on")
      yield* at(98)
      assert.deepStrictEqual([under(95), under(96)], [0, 128])
      assert.strictEqual(most.topics, 200)
    })
  )

  it.scoped("is on the topics that it is told to be on, and on none when it is off", () =>
    Effect.gen(function* () {
      const joinedBy = (options: Partial<ColumnGossip.ColumnGossipOptions>) =>
        Effect.gen(function* () {
          const { gossip, joined } = watchedGossip()
          const layer = ColumnGossip.layer({ ...observe, ...options })
          yield* Layer.build(layer.pipe(Layer.provide([layerParts(parameters, peer.peerId), gossip])))
          yield* TestClock.adjust("500 millis")
          return [...joined].flatMap((topic) => Option.getOrThrow(parseColumnTopic(topic)).column)
        })
      yield* TestClock.setTime(slotStart(parameters, 50) + 1)
      assert.deepStrictEqual(yield* joinedBy({ mode: "off", columns: "all" }), [])
      assert.sameMembers(yield* joinedBy({ columns: [5, 64] }), [5, 64])
      const eight = custodyColumns(Either.getOrThrow(nodeIdOfPeerId(peer.peerId)), 8)
      assert.sameMembers(yield* joinedBy({ mode: "participate", custodyGroupCount: 8 }), [...eight])
      const listed = yield* joinedBy({ mode: "participate", custodyGroupCount: 8, columns: [5, 64] })
      assert.sameMembers(listed, [...new Set([...eight, 5, 64])], "what it owes, it is on")
    })
  )

  it.scopedLive("is on the same topics at both sides, over sockets, before and after a step", () =>
    Effect.gen(function* () {
      const slotDurationMs = 300
      // The step of the blob limit, at slot 96, is some seconds away.
      const chain = {
        ...parameters,
        slotDurationMs,
        genesisTime: Math.floor((Date.now() - 84 * slotDurationMs) / 1000)
      }
      const side = Effect.gen(function* () {
        const topics = makeJoinedTopics()
        const node = yield* makeNode({ agent: "side/1", privateKey: new Uint8Array(32).fill(7), gossip: topics.rules })
        const other = yield* makeNode({ agent: "other/1" })
        const gossip = yield* makeGossip(node, topics)
        const host = layerParts(chain, node.peerId.toString())
        yield* Layer.build(ColumnGossip.layer(observe).pipe(Layer.provide([host, Layer.succeed(Gossip, gossip)])))
        return { node, other, peerId: node.peerId.toString() }
      })
      const us = yield* side
      const topics = makeJoinedTopics()
      const watcher = yield* makeNode({ agent: "watcher/1", gossip: topics.rules })
      const watching = yield* makeGossip(watcher, topics)
      yield* Effect.promise(() => watcher.dial(us.node.getMultiaddrs()))
      const told = () => [...watching.columnTopicsOf(us.peerId)].sort()
      const [before, after] = [topicsAt(chain, us.peerId, 95).sort(), topicsAt(chain, us.peerId, 96).sort()]
      yield* eventually(() => told().join() === before.join())
      yield* eventually(() => told().length === 8)
      yield* eventually(() => told().join() === after.join())
    })
  )
})
