import { checkpointAt, finalized } from "../../src/devnet/chain/ChainState.ts"
import { assert } from "@effect/vitest"
import { Context, Duration, Effect, Either, Exit, Layer, Option, Scope, Stream } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { epochOf, slotAt } from "../../src/domain/network/Chain.ts"
import { forkDigestAt } from "../../src/domain/network/ForkDigest.ts"
import { type PeerAddress, parsePeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import { makeDevPeer } from "../../src/devnet/peer/DevPeer.ts"
import type { ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import { SecondHost } from "../../src/host/SecondHost.ts"
import { layer as standalone } from "../../src/host/Standalone.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { decodeStatus, encodeMetadata, encodeStatus, statusRequest } from "../../src/wire/Handshake.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { metadataV3, ping, statusV2 } from "../../src/wire/Protocol.ts"
import { request } from "../../src/wire/Client.ts"
import { serve } from "../../src/wire/Server.ts"
import { multiaddr } from "@multiformats/multiaddr"
import type { Server } from "node:http"
import { SharedChain } from "./beacon-api/Chain.ts"
import { fakeNode } from "./beacon-api/FakeNode.ts"
import { shared } from "../Shared.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"

const openConnections = (server: Server): Effect.Effect<number> =>
  Effect.async((resume) => {
    server.getConnections((_, count) => resume(Effect.succeed(count)))
  })

const start = Effect.gen(function* () {
  const { url } = yield* SharedChain
  const context = yield* Layer.build(standalone({ url, version: "test" }))
  return { host: Context.get(context, Host), externs: Context.get(context, Externs) }
})

const devPeer = (name: ProfileName, index: number) =>
  Effect.gen(function* () {
    const { chain } = yield* SharedChain
    const peer = yield* makeDevPeer(chain, name, index)
    return { ...peer, address: Either.getOrThrow(parsePeerAddress(yield* peer.enr)) }
  })

shared("Standalone", SharedChain.layer, (it) => {
  it.live("has a second identity if it is to have one: another key and agent, and what peers say to it", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* SharedChain
      const alone = yield* Effect.provide(SecondHost, standalone({ url, version: "test" }))
      assert.isTrue(Option.isNone(alone))
      const context = yield* Layer.build(standalone({ url, version: "test", second: { agent: "Someone/1.0" } }))
      const first = Context.get(context, Host)
      const second = Option.getOrThrow(Context.get(context, SecondHost))
      const asker = yield* makeNode({ agent: "asker" })
      const status = {
        forkDigest: toHex(forkDigestAt(chain.parameters, 4)),
        finalizedRoot: checkpointAt(chain.parameters, state, 1).root,
        finalizedEpoch: 1,
        headRoot: state.head.root,
        headSlot: state.head.slot,
        earliestAvailableSlot: state.head.slot
      }
      const heard = yield* Effect.forEach([first, second.host], ({ multiaddrs }) =>
        Effect.gen(function* () {
          const connection = yield* Effect.promise(() => asker.dial(multiaddr(multiaddrs[0] ?? "")))
          const agentVersion = yield* eventually(
            Effect.gen(function* () {
              const known = yield* Effect.promise(() => asker.peerStore.get(connection.remotePeer))
              const agent = known.metadata.get("AgentVersion")
              assert.isDefined(agent)
              return new TextDecoder().decode(agent)
            })
          )
          const answer = yield* request(connection, statusRequest(status))
          const [chunk] = yield* Stream.runCollect(answer.chunks)
          return { agentVersion, status: decodeStatus(chunk?.ssz ?? new Uint8Array()) }
        })
      )
      assert.deepStrictEqual(
        heard.map(({ agentVersion }) => agentVersion),
        ["dasmon/test", "Someone/1.0"]
      )
      for (const one of heard) assert.deepStrictEqual(one.status, Either.right(status))
      assert.notStrictEqual(second.host.peerId, first.peerId)
      const { address } = yield* devPeer("honest", 7)
      yield* second.host.connect(address)
      assert.strictEqual((yield* second.peerRefresh(address)).headSlot, state.head.slot)
      assert.deepStrictEqual(
        (yield* first.connected).filter(({ peerId }) => peerId === address.peerId),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.live("hears the claim of a peer of the devnet, and asks it for columns", () =>
    Effect.gen(function* () {
      const { chain, state } = yield* SharedChain
      const { externs, host } = yield* start
      const { address, claim, agent } = yield* devPeer("honest", 1)
      assert.deepStrictEqual((yield* host.connect(address)).agent, Option.some(agent))
      const said = yield* externs.peerRefresh(address)
      const { custodyGroupCount, earliestAvailableSlot, sequenceNumber } = yield* claim
      assert.deepStrictEqual(
        { ...said, observedAt: 0 },
        {
          metadataCount: custodyGroupCount,
          enrCount: Option.getOrUndefined(address.enrCustodyGroupCount),
          enrIsCurrent: false,
          earliestAvailableSlot,
          headSlot: state.head.slot,
          finalized: finalized(chain.parameters, state),
          forkDigest: toHex(
            forkDigestAt(chain.parameters, epochOf(chain.parameters, slotAt(chain.parameters, Date.now())))
          ),
          sequenceNumber,
          observedAt: 0,
          headRoot: state.head.root,
          subnets: { attnets: [], syncnets: [] }
        }
      )
      assert.closeTo(said.observedAt, Date.now(), scaledMs("5 seconds"))
      const columns = yield* Effect.scoped(
        Effect.flatMap(
          host.request(address.peerId, columnsByRange({ startSlot: 60, count: 8, columns: [5] })),
          (answer) => Stream.runCount(answer.chunks)
        )
      )
      assert.isAtLeast(columns, 0)
      assert.deepStrictEqual(yield* externs.chainHead, { slot: state.head.slot, root: state.head.root })
    })
  )

  it.live("gives the Status of another network for what it is, and its Goodbye as a refusal", () =>
    Effect.gen(function* () {
      const { externs, host } = yield* start
      const { address } = yield* devPeer("wrong-network", 2)
      yield* host.connect(address)
      const result = yield* Effect.either(externs.peerRefresh(address))
      if (Either.isRight(result)) {
        assert.notStrictEqual(result.right.forkDigest, toHex(forkDigestAt(externs.chain, 4)))
      } else {
        assert.strictEqual(result.left._tag, "PeerRefused")
        assert.strictEqual(result.left._tag === "PeerRefused" ? result.left.reason : "", "wrong_network")
      }
    })
  )

  it.live("hears the claim of a peer that never ends its streams", () =>
    Effect.gen(function* () {
      const { externs, host } = yield* start
      const node = yield* makeNode({ agent: "open" })
      const said = {
        forkDigest: "0x01020304",
        finalizedRoot: `0x${"00".repeat(32)}`,
        finalizedEpoch: 0,
        headRoot: `0x${"11".repeat(32)}`,
        headSlot: 7,
        earliestAvailableSlot: 3
      }
      yield* serve(node, statusV2, (_, __, reply) =>
        Effect.zipRight(reply.chunk(encodeStatus(statusV2, said)), Effect.never)
      )
      yield* serve(node, metadataV3, (_, __, reply) =>
        Effect.zipRight(
          reply.chunk(encodeMetadata(metadataV3, { sequenceNumber: 7, custodyGroupCount: 8 })),
          Effect.never
        )
      )
      const address: PeerAddress = {
        peerId: node.peerId.toString(),
        multiaddrs: node.getMultiaddrs().map((address) => address.decapsulate("/p2p").toString()),
        enrCustodyGroupCount: Option.none()
      }
      yield* host.connect(address)
      const { metadataCount, sequenceNumber } = yield* externs.peerRefresh(address)
      assert.deepStrictEqual([metadataCount, sequenceNumber], [8, 7])
    })
  )

  it.live("gives typed errors for a peer that is gone, mute, empty or not to be understood", () =>
    Effect.gen(function* () {
      const { externs, host } = yield* start
      const refresh = (how: "mute" | "empty" | "garbage" | "no status") =>
        Effect.gen(function* () {
          const node = yield* makeNode({ agent: how })
          if (how !== "no status") {
            yield* serve(node, statusV2, (_, __, reply) => {
              if (how === "mute") return Effect.never
              return how === "empty" ? Effect.void : reply.raw(Buffer.from("00ff0102030405", "hex"))
            })
          } else yield* serve(node, ping, () => Effect.void)
          const address: PeerAddress = {
            peerId: node.peerId.toString(),
            multiaddrs: node.getMultiaddrs().map((address) => address.decapsulate("/p2p").toString()),
            enrCustodyGroupCount: Option.none()
          }
          yield* host.connect(address)
          return yield* Effect.flip(externs.peerRefresh(address))
        })
      const all = yield* Effect.all([refresh("mute"), refresh("empty"), refresh("garbage"), refresh("no status")], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        all.map((error) =>
          "stage" in error ? [error._tag, error.stage] : "reason" in error ? [error._tag, error.reason] : [error._tag]
        ),
        [
          ["ProbeTimeout", "handshake"],
          ["PeerDisconnected", "handshake"],
          ["MalformedResponse"],
          ["PeerRefused", "unsupported_protocol"]
        ]
      )
      const gone = { peerId: host.peerId, multiaddrs: [], enrCustodyGroupCount: Option.none() }
      assert.strictEqual((yield* Effect.flip(externs.peerRefresh(gone)))._tag, "PeerDisconnected")
    })
  )

  it.live("says of itself what is so, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* SharedChain
      const beacon = yield* fakeNode({ upstream: url, handle: () => false })
      const scope = yield* Scope.make()
      const context = yield* Scope.extend(Layer.build(standalone({ url: beacon.url, version: "test" })), scope)
      const host = Context.get(context, Host)
      const externs = Context.get(context, Externs)
      yield* Effect.forkIn(Stream.runDrain(externs.chainEvents), scope)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const node = yield* makeNode({ agent: "stranger" })
          const connection = yield* Effect.promise(() =>
            node.dial(host.multiaddrs.map((address) => multiaddr(address)))
          )
          // Final is epoch 2: what is said of it is older, and on the chain.
          const status = {
            forkDigest: toHex(forkDigestAt(chain.parameters, 4)),
            finalizedRoot: checkpointAt(chain.parameters, state, 1).root,
            finalizedEpoch: 1,
            headRoot: state.head.root,
            headSlot: state.head.slot,
            earliestAvailableSlot: state.head.slot
          }
          const answer = yield* request(connection, statusRequest(status))
          const [chunk] = yield* Stream.runCollect(answer.chunks)
          assert.deepStrictEqual(decodeStatus(chunk?.ssz ?? new Uint8Array()), Either.right(status))
          yield* externs.chainQuery({ start: 60, end: 63 })
          assert.isAbove(yield* openConnections(beacon.server), 0)
          const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
          assert.isBelow(Duration.toMillis(took), scaledMs("5 seconds"))
          yield* eventually(() => node.getConnections().length === 0)
          const again = yield* Effect.exit(
            Effect.tryPromise(() => node.dial(host.multiaddrs.map((address) => multiaddr(address))))
          )
          assert.isTrue(Exit.isFailure(again))
          yield* eventually(Effect.map(openConnections(beacon.server), (count) => count === 0))
        })
      )
    })
  )
})
