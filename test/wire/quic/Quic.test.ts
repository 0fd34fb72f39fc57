import { assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { Duration, Effect, Fiber, Stream } from "effect"
import { transportOf } from "../../../src/domain/peer/Transport.ts"
import { request } from "../../../src/wire/Client.ts"
import { pingRequest } from "../../../src/wire/Handshake.ts"
import { makeNode, type Node } from "../../../src/wire/Node.ts"
import { ping } from "../../../src/wire/Protocol.ts"
import { QuicUnavailable } from "../../../src/wire/quic/LoadQuic.ts"
import { serve } from "../../../src/wire/Server.ts"
import { eventually } from "../../Eventually.ts"
import { deadPort, relayTo } from "./Relay.ts"

const quic = "/ip4/127.0.0.1/udp/0/quic-v1"
const tcp = "/ip4/127.0.0.1/tcp/0"

const udpPortOf = (node: Node): number =>
  Number(
    node
      .getMultiaddrs()
      .flatMap((address) => address.getComponents())
      .find(({ name }) => name === "udp")?.value
  )
const dial = (from: Node, to: Node, ...addresses: ReadonlyArray<string>) =>
  Effect.tryPromise({
    try: () => from.dial(addresses.map((address) => multiaddr(`${address}/p2p/${to.peerId.toString()}`))),
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  })

describe("QUIC", () => {
  it.scopedLive(
    "is spoken beside TCP on the same port, and addresses are tried in the order in which they are given",
    () =>
      Effect.gen(function* () {
        const first = yield* makeNode({ agent: "server/0" })
        const [address = ""] = first.getMultiaddrs().map((one) => one.decapsulate("/p2p").toString())
        // A port that the system just gave away for TCP is free for UDP.
        const listen = [address.replace(/tcp\/(\d+)/, "udp/$1/quic-v1"), quic]
        const server = yield* makeNode({ agent: "server/1", listen: [...listen, tcp] })
        const client = yield* makeNode({ agent: "client/1", listen: [] })
        const addresses = server.getMultiaddrs().map((one) => one.decapsulate("/p2p").toString())
        assert.deepStrictEqual(addresses.map(transportOf).toSorted(), ["quic", "quic", "tcp"])
        for (const wanted of ["quic", "tcp"]) {
          const ordered = addresses.toSorted((a) => (transportOf(a) === wanted ? -1 : 1))
          const connection = yield* dial(client, server, ...ordered)
          assert.strictEqual(transportOf(connection.remoteAddr.toString()), wanted)
          assert.strictEqual(connection.remotePeer.toString(), server.peerId.toString())
          yield* Effect.promise(() => client.hangUp(server.peerId))
        }
      })
  )

  it.scopedLive("goes to a name, and falls back to TCP where nothing answers", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic, tcp] })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      const named = yield* dial(client, server, `/dns4/localhost/udp/${udpPortOf(server)}/quic-v1`)
      assert.strictEqual(
        named.remoteAddr.toString().replace(/\/p2p.*/, ""),
        quic.replace("/0/", `/${udpPortOf(server)}/`)
      )
      yield* Effect.promise(() => client.hangUp(server.peerId))

      const dead = `/ip4/127.0.0.1/udp/${yield* deadPort}/quic-v1`
      const other =
        server
          .getMultiaddrs()
          .map(String)
          .find((one) => transportOf(one) === "tcp") ?? ""
      const [took, connection] = yield* Effect.timed(dial(client, server, dead, other.replace(/\/p2p.*/, "")))
      assert.strictEqual(transportOf(connection.remoteAddr.toString()), "tcp")
      assert.isAtLeast(Duration.toMillis(took), 2_900)
    })
  )

  it.scopedLive("tells no way there, and no such name, from a peer that does not answer", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic] })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      // Nobody may send to everybody.
      const denied = yield* Effect.flip(dial(client, server, "/ip4/255.255.255.255/udp/9000/quic-v1"))
      assert.match(String(denied), /EACCES|ENETUNREACH/)
      const unknown = yield* Effect.flip(dial(client, server, "/dns4/nowhere.invalid/udp/9000/quic-v1"))
      assert.match(String(unknown), /ENOTFOUND|EAI_AGAIN/)
      const silent = yield* Effect.flip(dial(client, server, `/ip4/127.0.0.1/udp/${yield* deadPort}/quic-v1`))
      assert.strictEqual(silent.name, "TimeoutError")
      const other = yield* makeNode({ agent: "other/1", listen: [quic] })
      const wrong = yield* Effect.flip(dial(client, server, `/ip4/127.0.0.1/udp/${udpPortOf(other)}/quic-v1`))
      assert.include(wrong.message, "but connected to")
    })
  )

  it.scopedLive("gives a dial up with its signal", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic] })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      const address = multiaddr(`/ip4/127.0.0.1/udp/${yield* deadPort}/quic-v1/p2p/${server.peerId.toString()}`)
      const controller = new AbortController()
      const dialling = yield* Effect.fork(
        Effect.exit(Effect.tryPromise(() => client.dial(address, { signal: controller.signal })))
      )
      yield* eventually(() => client.getDialQueue().length === 1)
      controller.abort()
      yield* Fiber.join(dialling)
      yield* eventually(() => client.getDialQueue().length === 0, "1 second")
    })
  )

  it.scopedLive("is not held up by those who begin a handshake and say no more", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic] })
      const relay = yield* relayTo(udpPortOf(server), { there: 1, back: 0 })
      yield* Effect.forEach(
        Array.from({ length: 20 }),
        () =>
          Effect.gen(function* () {
            const mute = yield* makeNode({ agent: "mute/1", listen: [] })
            yield* Effect.fork(Effect.exit(dial(mute, server, `/ip4/127.0.0.1/udp/${relay.port}/quic-v1`)))
          }),
        { discard: true }
      )
      yield* eventually(() => relay.passed() === 20)
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      yield* dial(client, server, `/ip4/127.0.0.1/udp/${udpPortOf(server)}/quic-v1`)
    })
  )

  it.scopedLive("holds to the limits for each address", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic], inbound: { perAddress: 2 } })
      const clients = yield* Effect.replicateEffect(makeNode({ agent: "client/1", listen: [] }), 4)
      const address = `/ip4/127.0.0.1/udp/${udpPortOf(server)}/quic-v1`
      yield* Effect.forEach(clients, (client) => Effect.exit(dial(client, server, address)))
      yield* eventually(() => clients.filter((client) => client.getConnections().length === 1).length === 2)
      assert.lengthOf(server.getConnections(), 2)
    })
  )

  it.scopedLive("gives up a connection on which a peer leaves all unanswered", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic] })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      yield* Effect.promise(() => server.handle(ping.id, () => {}, { maxInboundStreams: 1_000 }))
      const connection = yield* dial(client, server, `/ip4/127.0.0.1/udp/${udpPortOf(server)}/quic-v1`)
      const leftUnanswered = Effect.tryPromise(async () => {
        const stream = await connection.newStream(ping.id)
        await stream.close()
        stream.abort(new Error("no answer"))
      })
      for (let asked = 0; asked < 48; asked++) {
        yield* leftUnanswered
      }
      assert.strictEqual(connection.status, "open")
      // A peer that reads late may see our reset in the place of our end, and end its side too: that one is answered.
      yield* leftUnanswered.pipe(Effect.ignore, Effect.repeat({ until: () => connection.status !== "open", times: 48 }))
      yield* eventually(() => connection.status !== "open", "60 seconds")
    })
  )

  it.scopedLive("that cannot be used leaves TCP", () =>
    Effect.gen(function* () {
      const none = Effect.fail(new QuicUnavailable({ reason: "Cannot find native binding" }))
      const node = yield* makeNode({ agent: "a", listen: [quic, tcp], quic: none })
      assert.match(node.getMultiaddrs().join(), /^\/ip4\/127.0.0.1\/tcp\/\d+\/p2p\/16Uiu2\w+$/)
      const nowhere = yield* Effect.flip(makeNode({ agent: "a", listen: [quic], quic: none }))
      assert.include(nowhere.message, "QUIC cannot be used here, only TCP: Cannot find native binding")
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      yield* dial(client, node, ...node.getMultiaddrs().map((address) => address.decapsulate("/p2p").toString()))
    })
  )

  it.scopedLive("loses a peer of which nothing comes any more, and does not take that for the end of an answer", () =>
    Effect.gen(function* () {
      const server = yield* makeNode({ agent: "server/1", listen: [quic] })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      yield* serve(server, ping, (_ssz, _peer, reply) => Effect.zipRight(reply.raw(Uint8Array.of(0)), Effect.never))
      const relay = yield* relayTo(udpPortOf(server))
      const connection = yield* dial(client, server, `/ip4/127.0.0.1/udp/${relay.port}/quic-v1`)
      const minute = Duration.minutes(1)
      const limits = { open: minute, firstByte: minute, chunk: minute, total: minute }
      const error = yield* request(connection, pingRequest(1), limits).pipe(
        Effect.tap(() => relay.cut),
        Effect.flatMap(({ chunks }) => Stream.runDrain(chunks)),
        Effect.scoped,
        Effect.flip
      )
      assert.strictEqual(error._tag, "PeerDisconnected")
      yield* eventually(() => connection.status !== "open")
    })
  )
})
