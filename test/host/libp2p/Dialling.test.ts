import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Logger, Option } from "effect"
import type { PeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import { type Transport, transportOf } from "../../../src/domain/peer/Transport.ts"
import type { Host } from "../../../src/host/Host.ts"
import { fromNode, make } from "../../../src/host/libp2p/Libp2pHost.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import { QuicUnavailable } from "../../../src/wire/quic/LoadQuic.ts"
import { deadPort } from "../../wire/quic/Relay.ts"
import { addressOf, listenOn, partsOf, silentAddress, stranger, strangerAt, strangerOn } from "./Nodes.ts"

const failureOf = (host: Host["Type"], address: PeerAddress) => Effect.flip(host.connect(address))

describe("dialling a peer", () => {
  it.scopedLive("gives a typed error for an address where no one, someone else, or nobody who speaks is", () =>
    Effect.gen(function* () {
      const host = yield* fromNode(yield* makeNode({ agent: "host/1", listen: [] }))
      const address = addressOf(yield* stranger)
      const silent = yield* silentAddress(60_000)
      const at = (...multiaddrs: ReadonlyArray<string>) => failureOf(host, { ...address, multiaddrs })

      const refused = yield* at("/ip4/127.0.0.1/tcp/1")
      assert.strictEqual(refused._tag, "PeerDisconnected")
      assert.include(String(refused), "ECONNREFUSED")
      assert.include(String(yield* at(...addressOf(yield* stranger).multiaddrs)), "another peer")
      const timeout = yield* at(silent.multiaddr)
      assert.strictEqual(timeout._tag, "ProbeTimeout", String(timeout))
      // What cannot be read does not stand in the way of what can.
      assert.strictEqual((yield* at("nonsense", "/ip4/127.0.0.1/tcp/1"))._tag, "PeerDisconnected")
      const peer = yield* host.connect({ ...address, multiaddrs: ["nonsense", ...address.multiaddrs] })
      assert.deepStrictEqual(peer.agent, Option.some("stranger/0.1"))
    })
  )

  it.scopedLive("dials by QUIC first, by TCP where that is silent, and remembers what was silent", () =>
    Effect.gen(function* () {
      const node = yield* makeNode({ agent: "host/1", listen: [] })
      const orders: Array<ReadonlyArray<Transport>> = []
      const host = yield* fromNode({
        ...partsOf(node),
        dial: (peer, options) => {
          orders.push((Array.isArray(peer) ? peer : []).map((address) => transportOf(String(address))))
          return node.dial(peer, options)
        }
      })
      const both = addressOf(yield* makeNode({ agent: "both/1", listen: [...listenOn("tcp"), ...listenOn("quic")] }))
      const byWhat = (address: PeerAddress) => Effect.map(host.connect(address), (peer) => transportOf(peer.address))
      assert.strictEqual(yield* byWhat(both), "quic")
      yield* host.disconnect(both.peerId, 1)

      const dead = `/ip4/127.0.0.1/udp/${yield* deadPort}/quic-v1`
      const tcpAlone = { ...both, multiaddrs: [dead, ...both.multiaddrs.filter((one) => transportOf(one) === "tcp")] }
      assert.strictEqual(yield* byWhat(tcpAlone), "tcp")
      yield* host.disconnect(both.peerId, 1)
      assert.strictEqual(yield* byWhat(tcpAlone), "tcp")
      assert.deepStrictEqual(orders, [
        ["quic", "tcp"],
        ["quic", "tcp"],
        ["tcp", "quic"]
      ])
      yield* host.disconnect(both.peerId, 1)

      const quicAlone = addressOf(yield* strangerOn("quic"))
      assert.strictEqual(yield* byWhat(quicAlone), "quic")
      const silent = yield* failureOf(host, { ...addressOf(yield* strangerOn("quic")), multiaddrs: [dead] })
      assert.deepInclude(silent, { _tag: "ProbeTimeout", stage: "dial" })
      const wrong = yield* failureOf(host, { ...addressOf(yield* stranger), multiaddrs: quicAlone.multiaddrs })
      assert.include(String(wrong), "another peer")
    })
  )

  it.scopedLive(
    "goes on by TCP where QUIC cannot be used, says so in a line, and does not blame who is on QUIC alone",
    () =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void lines.push(String(message)))
        )
        const host = yield* make({
          version: "1.2.3",
          status: Effect.never,
          listen: [...listenOn("quic"), ...listenOn("tcp")],
          quic: Effect.fail(new QuicUnavailable({ reason: "Cannot find native binding" }))
        }).pipe(Effect.provide(logger))
        assert.deepStrictEqual(lines, ["QUIC cannot be used here, only TCP: Cannot find native binding"])
        assert.deepStrictEqual(host.multiaddrs.map(transportOf), ["tcp"])
        const both = addressOf(yield* makeNode({ agent: "both/1", listen: [...listenOn("tcp"), ...listenOn("quic")] }))
        assert.strictEqual(transportOf((yield* host.connect(both)).address), "tcp")
        assert.strictEqual((yield* failureOf(host, addressOf(yield* strangerOn("quic"))))._tag, "NotDialled")
      })
  )

  it.scopedLive("says that a peer was not dialled where that is not about the peer", () =>
    Effect.gen(function* () {
      const node = yield* makeNode({ agent: "host/1", listen: [] })
      const host = yield* fromNode(node, { maxConnections: 1 })
      const address = addressOf(yield* stranger)
      const not = (change: Partial<PeerAddress>) =>
        Effect.map(failureOf(host, { ...address, ...change }), (error) =>
          error._tag === "NotDialled" ? error.detail : String(error)
        )
      assert.strictEqual(yield* not({ multiaddrs: [] }), "no address of it is known")
      assert.match(yield* not({ multiaddrs: ["nonsense"] }), /^String multiaddr must start/)
      assert.match(yield* not({ peerId: "nobody" }), /^\w/)
      assert.include(yield* not({ multiaddrs: ["/ip4/127.0.0.1/udp/1/webrtc-direct"] }), "no valid addresses")
      assert.match(yield* not({ multiaddrs: ["/ip4/255.255.255.255/udp/1/quic-v1"] }), /EACCES|ENETUNREACH/)
      assert.include(yield* not({ peerId: host.peerId }), "dial self")

      yield* host.connect(address)
      assert.strictEqual(yield* not(addressOf(yield* stranger)), "the limit of 1 connections is reached")
      assert.strictEqual((yield* host.connect(address)).peerId, address.peerId)
      yield* Effect.promise(async () => node.stop())
      assert.strictEqual(yield* not(address), "the node is not running")
    })
  )

  it.scoped("does not let a peer that came by itself wait for its turn", () =>
    Effect.gen(function* () {
      const own = yield* makeNode({ agent: "host/1" })
      // No dial ever ends (the time of this test stands still).
      const host = yield* fromNode({ ...partsOf(own), dial: () => new Promise(() => {}) })
      yield* Effect.replicateEffect(
        Effect.flatMap(strangerAt("/ip4/127.0.0.1/tcp/1"), (address) => Effect.forkScoped(host.connect(address))),
        100
      )
      const node = yield* stranger
      const waiting = yield* Effect.forkScoped(host.connect(addressOf(node)))
      yield* Effect.yieldNow()
      yield* Effect.promise(() => node.dial(own.getMultiaddrs()))
      assert.deepStrictEqual((yield* Fiber.join(waiting)).agent, Option.some("stranger/0.1"))
    })
  )

  it.scopedLive("at hundreds of dead addresses keeps no honest peer from being reached: all wait for their turn", () =>
    Effect.gen(function* () {
      // More than libp2p would queue (500).
      const deadPeers = 600
      const dead = yield* silentAddress(20)
      const honest = yield* stranger
      const host = yield* make({ version: "1.2.3", status: Effect.never })
      const strangers = yield* Effect.replicateEffect(strangerAt(dead.multiaddr), deadPeers)
      const inLine = yield* Effect.forEach(strangers, (address) => Effect.fork(failureOf(host, address)))
      const last = yield* Effect.either(host.connect(addressOf(honest)))
      const others = yield* Effect.forEach(inLine, Fiber.join)
      assert.isTrue(Either.isRight(last), String(last))
      assert.deepStrictEqual(new Set(others.map(({ _tag }) => _tag)), new Set(["PeerDisconnected"]))
      assert.strictEqual(dead.seen(), deadPeers)
      assert.isAtMost(dead.most(), 50)
    })
  )
})
