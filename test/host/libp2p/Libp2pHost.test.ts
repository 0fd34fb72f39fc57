import { assert, describe, it } from "@effect/vitest"
import { Chunk, Duration, Effect, Either, Exit, Fiber, Option, Queue, Ref, Scope, Stream } from "effect"
import type { IdentifyResult } from "@libp2p/interface"
import { peerIdFromString } from "@libp2p/peer-id"
import { multiaddr } from "@multiformats/multiaddr"
import type { PeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import { type Transport, transportOf } from "../../../src/domain/peer/Transport.ts"
import type { Host, HostEvent } from "../../../src/host/Host.ts"
import { fromNode, make } from "../../../src/host/libp2p/Libp2pHost.ts"
import { request } from "../../../src/wire/Client.ts"
import { columnsByRange } from "../../../src/wire/Requests.ts"
import {
  decodeMetadata,
  decodeStatus,
  decodeUint64,
  goodbyeRequest,
  metadataRequest,
  pingRequest,
  type StatusMessage,
  statusRequest
} from "../../../src/wire/Handshake.ts"
import type { RequestMessage } from "../../../src/wire/Message.ts"
import type { Node } from "../../../src/wire/Node.ts"
import { goodbye, ping } from "../../../src/wire/Protocol.ts"
import { serve } from "../../../src/wire/Server.ts"
import { addressOf, listenOn, strangerOn, transports } from "./Nodes.ts"
import { eventually } from "../../Eventually.ts"
import { scaled, scaledMs } from "../../TimeLimits.ts"

const status: StatusMessage = {
  forkDigest: "0x8c9f62fe",
  finalizedRoot: `0x${"00".repeat(32)}`,
  finalizedEpoch: 0,
  headRoot: `0x${"ab".repeat(32)}`,
  headSlot: 1234,
  earliestAvailableSlot: 1234
}

const makeHostOn = (transport: Transport) =>
  make({ version: "1.2.3", status: Effect.succeed(status), listen: listenOn(transport) })

const addressOfHost = (host: Host["Type"]): PeerAddress => ({
  peerId: host.peerId,
  multiaddrs: host.multiaddrs.map((address) => address.replace(/\/p2p\/.*$/, "")),
  enrCustodyGroupCount: Option.none()
})

const multiaddrOf = (host: Host["Type"]) => host.multiaddrs.map((address) => multiaddr(address))

/** Every event of a host, one at a time. */
const eventsOf = (host: Host["Type"]) =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<HostEvent>()
    const events = yield* host.events
    yield* Effect.forkScoped(Stream.runForEach(events, (event) => queue.offer(event)))
    return { next: Effect.timeout(queue.take, scaled("20 seconds")), queue }
  })

/** What a stranger's node is answered: all chunks. */
const ask = (node: Node, host: Host["Type"], message: RequestMessage) =>
  Effect.gen(function* () {
    const [connection] = node.getConnections(peerIdFromString(host.peerId))
    if (connection === undefined) return yield* Effect.dieMessage("not connected")
    const { chunks, protocol } = yield* request(connection, message)
    return { protocol, chunks: Chunk.toReadonlyArray(yield* Stream.runCollect(chunks)) }
  }).pipe(Effect.scoped)

describe.each(transports)("Libp2pHost over %s", (transport) => {
  const stranger = strangerOn(transport)
  const makeHost = () => makeHostOn(transport)

  it.scopedLive("connects, learns the agent, and tells of comings and goings", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const { next } = yield* eventsOf(host)
      const scope = yield* Scope.make()
      const node = yield* Scope.extend(stranger, scope)
      const address = addressOf(node)
      const peer = yield* host.connect(address)
      assert.deepStrictEqual(peer, {
        peerId: address.peerId,
        address: peer.address,
        agent: Option.some("stranger/0.1")
      })
      assert.strictEqual(transportOf(peer.address), transport)
      const connected = yield* next
      assert.strictEqual(connected._tag, "Connected")
      assert.deepStrictEqual(yield* host.connected, [peer])
      assert.deepStrictEqual(yield* host.connect(address), peer)

      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* next, { _tag: "Disconnected", peerId: address.peerId, goodbye: Option.none() })
      assert.deepStrictEqual(yield* host.connected, [])
      const error = yield* Effect.flip(Effect.scoped(host.request(address.peerId, pingRequest(1))))
      assert.strictEqual(error._tag, "PeerDisconnected")
    })
  )

  it.scopedLive("tells of a peer that comes by itself, and of one that flaps", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const { next } = yield* eventsOf(host)
      const node = yield* stranger
      const { peerId } = host
      for (let times = 0; times < 3; times++) {
        yield* Effect.promise(() => node.dial(multiaddrOf(host)))
        const event = yield* next
        assert.strictEqual(event._tag, "Connected")
        yield* Effect.promise(() => node.hangUp(peerIdFromString(peerId)))
        assert.strictEqual((yield* next)._tag, "Disconnected")
      }
    })
  )

  it.scopedLive("says Disconnected only when the last connection is gone", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const { next, queue } = yield* eventsOf(host)
      const node = yield* stranger
      yield* host.connect(addressOf(node))
      assert.strictEqual((yield* next)._tag, "Connected")
      const second = yield* Effect.promise(() => node.dial(multiaddrOf(host), { force: true }))
      yield* Effect.promise(() => second.close())
      // The first connection works, so the second one is gone by now.
      const answer = yield* ask(node, host, pingRequest(0))
      assert.lengthOf(answer.chunks, 1)
      assert.strictEqual(yield* queue.size, 0)
      yield* Effect.promise(() => node.hangUp(peerIdFromString(host.peerId)))
      assert.strictEqual((yield* next)._tag, "Disconnected")
    })
  )

  it.scopedLive("answers what a peer must answer, and with nothing what it does not have", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const node = yield* stranger
      yield* host.connect(addressOf(node))
      const theirs = yield* ask(node, host, statusRequest(status))
      assert.include(theirs.protocol, "/status/2/")
      assert.deepStrictEqual(decodeStatus(theirs.chunks[0]?.ssz ?? new Uint8Array()), Either.right(status))
      const metadata = yield* ask(node, host, metadataRequest)
      assert.deepStrictEqual(
        decodeMetadata(metadata.chunks[0]?.ssz ?? new Uint8Array()),
        Either.right({ sequenceNumber: 1, custodyGroupCount: 4, subnets: { attnets: [], syncnets: [] } })
      )
      const pong = yield* ask(node, host, pingRequest(77))
      assert.deepStrictEqual(decodeUint64(pong.chunks[0]?.ssz ?? new Uint8Array()), Either.right(1))
      const columns = yield* ask(node, host, columnsByRange({ startSlot: 1, count: 2, columns: [3] }))
      assert.deepStrictEqual(columns.chunks, [])
    })
  )

  it.scopedLive("has no name of its own but the one that it is given, and else says what clients say", () =>
    Effect.gen(function* () {
      const node = yield* stranger
      const told = new Map<string, IdentifyResult>()
      node.addEventListener("peer:identify", ({ detail }) => told.set(detail.peerId.toString(), detail))
      const named = yield* make({ version: "1.2.3", agent: "Lighthouse/v8", status: Effect.succeed(status) })
      const usual = yield* makeHost()
      for (const host of [named, usual]) yield* Effect.promise(() => node.dial(multiaddrOf(host)))
      yield* eventually(() => told.size === 2)
      const { [named.peerId]: theirs, [usual.peerId]: ours } = Object.fromEntries(told)
      assert.deepStrictEqual([theirs?.agentVersion, ours?.agentVersion], ["Lighthouse/v8", "dasmon/1.2.3"])
      for (const said of [theirs, ours]) {
        assert.strictEqual(said?.protocolVersion, "eth2/1.0.0")
        const strange = said?.protocols.filter(
          (protocol) => !/^\/(eth2\/beacon_chain\/req|ipfs\/id|meshsub)\//.test(protocol)
        )
        assert.deepStrictEqual(strange, [])
        assert.notInclude(JSON.stringify(said?.protocols), "dasmon")
      }
    })
  )

  it.scopedLive("remembers why a peer said Goodbye, and explains a lost request by it", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const { next } = yield* eventsOf(host)
      const node = yield* stranger
      const { peerId } = addressOf(node)
      // In the middle of our request the peer says that it has too many peers, and leaves.
      yield* serve(node, ping, () =>
        Effect.gen(function* () {
          yield* Effect.ignore(ask(node, host, goodbyeRequest(129)))
          yield* Effect.never
        })
      )
      yield* host.connect(addressOf(node))
      assert.strictEqual((yield* next)._tag, "Connected")
      const error = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(host.request(peerId, pingRequest(1)), ({ chunks }) => Stream.runDrain(chunks)))
      )
      assert.strictEqual(error._tag, "PeerRefused")
      assert.include(error._tag === "PeerRefused" ? error.reason : "", "too_many_peers")
      assert.deepStrictEqual(yield* next, { _tag: "Disconnected", peerId, goodbye: Option.some(129) })
      const late = yield* Effect.flip(Effect.scoped(host.request(peerId, pingRequest(1))))
      assert.strictEqual(late._tag, "PeerRefused")
      // A new connection is a new beginning.
      yield* host.connect(addressOf(node))
      yield* next
      yield* Effect.promise(() => node.hangUp(peerIdFromString(host.peerId)))
      assert.strictEqual((yield* next)._tag, "Disconnected")
    })
  )

  it.scopedLive("tells a ban for what it is, also when the Goodbye comes long after the streams were given up", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const node = yield* stranger
      const { peerId } = addressOf(node)
      // As Lighthouse does it: the request is reset, and the reason for it comes 150 milliseconds later.
      yield* serve(node, ping, (_, __, reply) =>
        Effect.zipRight(
          Effect.forkDaemon(Effect.delay(Effect.ignore(ask(node, host, goodbyeRequest(0))), "150 millis")),
          reply.reset
        )
      )
      yield* host.connect(addressOf(node))
      const asked = Effect.flip(
        Effect.scoped(Effect.flatMap(host.request(peerId, pingRequest(1)), ({ chunks }) => Stream.runDrain(chunks)))
      )
      const error = yield* asked
      assert.include(error, { _tag: "PeerRefused", reason: "banned" })
      assert.match(error._tag === "PeerRefused" ? error.detail : "", /^goodbye 0 right after identify: /)
      // It is known by now: nothing is waited for.
      const [took, later] = yield* Effect.timed(asked)
      assert.include(later, { _tag: "PeerRefused", reason: "banned" })
      assert.isBelow(Duration.toMillis(took), 250)
    })
  )

  it.scopedLive("does not take a loss for a ban where no Goodbye comes", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const node = yield* stranger
      yield* serve(node, ping, (_, __, reply) => reply.reset)
      yield* host.connect(addressOf(node))
      const error = yield* Effect.flip(
        Effect.scoped(
          Effect.flatMap(host.request(node.peerId.toString(), pingRequest(1)), ({ chunks }) => Stream.runDrain(chunks))
        )
      )
      assert.strictEqual(error._tag, "PeerDisconnected")
    })
  )

  it.scopedLive("says Goodbye when it leaves a peer and when it stops", () =>
    Effect.gen(function* () {
      const codes = yield* Queue.unbounded<number>()
      const node = yield* stranger
      yield* serve(node, goodbye, (ssz) => Effect.asVoid(codes.offer(Either.getOrElse(decodeUint64(ssz), () => -1))))
      const scope = yield* Scope.make()
      const host = yield* Scope.extend(makeHost(), scope)
      yield* host.connect(addressOf(node))
      yield* host.disconnect(node.peerId.toString(), 2)
      assert.strictEqual(yield* Effect.timeout(codes.take, scaled("20 seconds")), 2)
      assert.deepStrictEqual(yield* host.connected, [])
      yield* host.disconnect(node.peerId.toString(), 3)

      yield* host.connect(addressOf(node))
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      assert.strictEqual(yield* Effect.timeout(codes.take, scaled("20 seconds")), 1)
      assert.isBelow(Duration.toMillis(took), scaledMs("5 seconds"))
      yield* eventually(() => node.getConnections().length === 0)
      assert.strictEqual(yield* codes.size, 0)
    })
  )

  it.scopedLive("asks one peer at most two things at once with one protocol", () =>
    Effect.gen(function* () {
      const host = yield* makeHost()
      const node = yield* stranger
      const running = yield* Ref.make({ now: 0, most: 0 })
      const gate = yield* Effect.makeLatch()
      yield* serve(node, ping, (_, __, reply) =>
        Effect.gen(function* () {
          yield* Ref.update(running, ({ most, now }) => ({ now: now + 1, most: Math.max(most, now + 1) }))
          yield* gate.await
          yield* Ref.update(running, ({ most, now }) => ({ now: now - 1, most }))
          yield* reply.chunk(new Uint8Array(8))
        })
      )
      yield* host.connect(addressOf(node))
      const one = Effect.scoped(
        Effect.flatMap(host.request(node.peerId.toString(), pingRequest(1)), ({ chunks }) => Stream.runCount(chunks))
      )
      const all = yield* Effect.fork(Effect.forEach(Array.from({ length: 6 }), () => one, { concurrency: "unbounded" }))
      yield* eventually(Effect.map(Ref.get(running), ({ now }) => now === 2))
      yield* gate.open
      assert.deepStrictEqual(yield* Fiber.join(all), [1, 1, 1, 1, 1, 1])
      assert.strictEqual((yield* Ref.get(running)).most, 2)
    })
  )

  it.scopedLive("works over a node that someone else runs, and leaves it running", () =>
    Effect.gen(function* () {
      const node = yield* stranger
      const peer = yield* makeHost()
      const theirs = addressOfHost(peer)
      yield* Effect.promise(() => node.dial(multiaddrOf(peer)))
      yield* eventually(
        Effect.map(
          Effect.tryPromise(() => node.peerStore.get(peerIdFromString(theirs.peerId))),
          ({ metadata }) => metadata.has("AgentVersion")
        )
      )
      const scope = yield* Scope.make()
      const host = yield* Scope.extend(fromNode(node), scope)
      assert.deepStrictEqual(
        (yield* host.connected).map(({ agent, peerId }) => ({ agent, peerId })),
        [{ agent: Option.some("dasmon/1.2.3"), peerId: theirs.peerId }]
      )
      assert.strictEqual((yield* host.connect(theirs)).peerId, theirs.peerId)
      const pong = yield* Effect.scoped(
        Effect.flatMap(host.request(theirs.peerId, pingRequest(1)), ({ chunks }) => Stream.runCount(chunks))
      )
      assert.strictEqual(pong, 1)
      const unserved = yield* Effect.flip(Effect.scoped(peer.request(node.peerId.toString(), pingRequest(1))))
      assert.strictEqual(unserved._tag === "PeerRefused" ? unserved.reason : unserved._tag, "unsupported_protocol")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(node.status, "started")
      assert.lengthOf(node.getConnections(), 1)
    })
  )
})
