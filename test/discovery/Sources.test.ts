import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem, NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Duration, Effect, FastCheck as fc, Layer, Option, type Scope, Stream } from "effect"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import type { ChainParameters } from "../../src/domain/network/Chain.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { parsePeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import { configuredPeers } from "../../src/discovery/Configured.ts"
import { Discovery, type DiscoverySource, merged, type NodeFound } from "../../src/discovery/Discovery.ts"
import { readNode } from "../../src/discovery/ReadNode.ts"
import { beaconPeers } from "../../src/discovery/sources/BeaconPeers.ts"
import { enrFile } from "../../src/discovery/sources/EnrFile.ts"
import { makeGivenPeers } from "../../src/discovery/sources/GivenPeers.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { fakeNode, json } from "../host/beacon-api/FakeNode.ts"
import { collected, discv5At, enrOf, network } from "./Nodes.ts"

/** What a source is told of, and the stream in which it says so. */
type Source = (
  enrs: ReadonlyArray<string>,
  chain: ChainParameters
) => Effect.Effect<Stream.Stream<NodeFound>, unknown, Scope.Scope>

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-sources-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const inMemory: Source = (enrs) =>
  Effect.gen(function* () {
    const nodes = yield* Effect.forEach(enrs, (enr) => readNode(enr, "api"))
    const context = yield* Layer.build(Discovery.layerOf(Stream.fromIterable(nodes)))
    return Context.get(context, Discovery).found
  })

const sources: Record<string, { readonly source: DiscoverySource; readonly make: Source }> = {
  memory: { source: "api", make: inMemory },
  config: {
    source: "config",
    make: (enrs) => Effect.map(makeConfig({ peers: enrs }), configuredPeers)
  },
  file: {
    source: "file",
    make: (enrs) =>
      Effect.gen(function* () {
        const path = join(yield* temporary, "enrs")
        writeFileSync(path, enrs.join("\n"))
        return Stream.provideLayer(enrFile(path), NodeFileSystem.layer)
      })
  },
  "POST /peers": {
    source: "api",
    make: (enrs) =>
      Effect.gen(function* () {
        const { found, give } = yield* makeGivenPeers
        assert.isTrue((yield* give(enrs)).every(({ accepted }) => accepted))
        return found
      })
  },
  "beacon node": {
    source: "beacon_node",
    make: (enrs) =>
      Effect.gen(function* () {
        const data = yield* Effect.forEach(enrs, (enr) =>
          Effect.map(decodeNodeRecord(enr), ({ peerId }) => ({ peer_id: peerId, enr, state: "connected" }))
        )
        const node = yield* fakeNode({
          handle: (_, __, response) => {
            json(response, { data, meta: { count: data.length } })
            return true
          }
        })
        const http = yield* Layer.build(NodeHttpClient.layerUndici)
        return yield* Effect.provide(beaconPeers({ url: node.url, interval: Duration.millis(50) }), http)
      })
  },
  discv5: {
    source: "discv5",
    make: (bootEnrs, chain) => Effect.map(discv5At("monitor", { chain, bootEnrs }), ({ found }) => found)
  }
}

describe("every source of peers", () => {
  it.scopedLive.each(Object.entries(sources))(
    "tells of nodes that can be dialled, with what their ENR says: %s",
    ([, { make, source }]) =>
      Effect.gen(function* () {
        const chain = yield* network()
        const nodes = yield* Effect.forEach(["one", "two"], (name) => discv5At(name, { chain }))
        const enrs = yield* Effect.forEach(nodes, enrOf)
        const found = yield* collected(yield* make(enrs, chain))
        const expected = yield* Effect.forEach(enrs, (enr) => decodeNodeRecord(enr))
        yield* eventually(
          Effect.map(found, (all) =>
            expected.every(({ peerId }) => all.some(({ address }) => address.peerId === peerId))
          ),
          "40 seconds"
        )
        for (const node of yield* found) {
          const record = expected.find(({ peerId }) => peerId === node.address.peerId)
          assert.deepStrictEqual(node, {
            source,
            address: {
              peerId: record?.peerId ?? "",
              multiaddrs: ["/ip4/127.0.0.1/tcp/4321"],
              enrCustodyGroupCount: Option.some(4)
            },
            enr: record?.enr ?? "",
            seq: record?.seq ?? 0n
          })
          // It can be dialled.
          for (const address of node.address.multiaddrs) {
            assert.isTrue(parsePeerAddress(`${address}/p2p/${node.address.peerId}`)._tag === "Right")
          }
        }
      }),
    scaledMs("60 seconds")
  )

  it.scopedLive("is heard of, also when another one never says anything, or has said all", () =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const node = (port: number): NodeFound => ({
        source: "api",
        seq: BigInt(now + port),
        address: { peerId: "a", multiaddrs: [`/ip4/127.0.0.1/tcp/${port}`], enrCustodyGroupCount: Option.none() }
      })
      const given = yield* makeGivenPeers
      const { found } = merged([
        { found: Stream.never },
        { found: Stream.fromIterable([node(1), node(2)]) },
        { found: Stream.empty },
        given
      ])
      const all = yield* collected(found)
      yield* eventually(Effect.map(all, (nodes) => nodes.length === 2))
      yield* given.give(["/ip4/127.0.0.1/tcp/3/p2p/16Uiu2HAkuVouJepyGcRNBAPiiLLffVpEhQQYN18vsrEXJ7GWg8cy"])
      yield* eventually(Effect.map(all, (nodes) => nodes.length === 3))
    })
  )
})

describe("what is given", () => {
  it.effect("is answered for each, and never more held than the bound", () =>
    Effect.gen(function* () {
      const good = "/ip4/127.0.0.1/tcp/3/p2p/16Uiu2HAkuVouJepyGcRNBAPiiLLffVpEhQQYN18vsrEXJ7GWg8cy"
      const { found, give } = yield* makeGivenPeers
      const answers = yield* give([good, "hello", "enr:-junk", ""])
      assert.deepStrictEqual(
        answers.map(({ accepted }) => accepted),
        [true, false, false, false]
      )
      assert.strictEqual(answers[0]?.peerId, "16Uiu2HAkuVouJepyGcRNBAPiiLLffVpEhQQYN18vsrEXJ7GWg8cy")
      assert.match(answers[1]?.reason ?? "", /neither an ENR nor a multiaddr/)
      assert.match(answers[2]?.reason ?? "", /not a valid ENR/)
      const more = yield* give(Array.from({ length: 1_100 }, () => good))
      assert.strictEqual(more.filter(({ accepted }) => accepted).length, 1_023)
      assert.include(more.at(-1)?.reason ?? "", "too many wait to be taken up")
      assert.strictEqual((yield* Stream.runCollect(Stream.take(found, 1_024))).length, 1_024)
      assert.isTrue((yield* give([good]))[0]?.accepted)
    })
  )

  it("is read without an exception, and shown short, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 400 }), async (text) => {
        const { give } = Effect.runSync(makeGivenPeers)
        // It gives others their turn when it has taken its time.
        const [answer] = await Effect.runPromise(give([text, `enr:${text}`]))
        assert.isFalse(answer?.accepted)
        assert.isAtMost(answer?.peer.length ?? 0, 200)
      })
    )
  })
})
