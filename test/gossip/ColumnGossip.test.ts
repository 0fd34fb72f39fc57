import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Option, TestClock } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import { type ChainParameters, slotStart } from "../../src/domain/network/Chain.ts"
import { columnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { nodeIdOfPeerId } from "../../src/domain/peer/NodeId.ts"
import * as ColumnGossip from "../../src/gossip/ColumnGossip.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Gossip } from "../../src/host/Gossip.ts"
import { Host } from "../../src/host/Host.ts"
import { makeGossip, makeJoinedTopics } from "../../src/host/libp2p/Libp2pGossip.ts"
import { Verifier } from "../../src/kzg/Verifier.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"
import { peer } from "../probe/FakeWorld.ts"
import { parameters } from "./Columns.ts"

const layerParts = (chain: ChainParameters, peerId: string) =>
  Layer.mergeAll(
    Layer.mock(Externs, { chain }),
    Layer.mock(Host, { peerId, multiaddrs: [] }),
    Layer.mock(CommitmentCache, {
      columnSlots: () => 0,
      replacedSince: (seen) => ({ seen, blocks: [] }),
      orphan: () => Option.none()
    }),
    Layer.mock(Verifier, {})
  )

const ownColumns = (peerId: string) => custodyColumns(Either.getOrThrow(nodeIdOfPeerId(peerId)), 4)
const topicsAt = (chain: ChainParameters, peerId: string, slot: number) =>
  ownColumns(peerId).map((column) => columnTopic({ forkDigest: forkDigestOfSlot(chain, slot), column }))

describe("gossip of our own columns", () => {
  it.scoped(
    "joins their topics of the running digest, the next one's before a step, and leaves the old ones after it",
    () =>
      Effect.gen(function* () {
        const joined = new Set<string>()
        const limits = new Set<number>()
        const gossip = Layer.mock(Gossip, {
          columnTopicsOf: () => [],
          join: (topic, { mostBytes }) =>
            Effect.asVoid(
              Effect.acquireRelease(
                Effect.sync(() => {
                  joined.add(topic)
                  limits.add(mostBytes)
                }),
                () => Effect.sync(() => joined.delete(topic))
              )
            )
        })
        const at = (slot: number) => TestClock.setTime(slotStart(parameters, slot) + 1)
        yield* at(10)
        yield* Layer.build(ColumnGossip.layer.pipe(Layer.provide([layerParts(parameters, peer.peerId), gossip])))
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
        yield* Layer.build(ColumnGossip.layer.pipe(Layer.provide([host, Layer.succeed(Gossip, gossip)])))
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
