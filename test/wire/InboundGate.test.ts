import { createConnection, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { Effect, Either } from "effect"
import { type InboundConnection, inboundGate, type InboundLimits } from "../../src/wire/InboundGate.ts"
import { makeNode, type Node } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"

const limits: InboundLimits = {
  pendingPerAddress: 4,
  pending: 10,
  settled: 20,
  perAddress: 5,
  perIdentity: 2,
  pacePerAddress: { burst: 100, perSecond: 1 }
}

/** A connection from `host` that came so many milliseconds ago. */
const from = (host: string, agoMs = 0) => {
  const events = new EventTarget()
  let status: InboundConnection["status"] = "open"
  const connection: InboundConnection = {
    remoteAddr: multiaddr(`/ip4/${host}/tcp/1`),
    timeline: { open: Date.now() - agoMs },
    get status() {
      return status
    },
    abort: () => {
      status = "aborted"
      events.dispatchEvent(new Event("close"))
    },
    addEventListener: (type, listener, options) => events.addEventListener(type, listener, options)
  }
  return connection
}

const close = (connection: InboundConnection): void => connection.abort(new Error("closed"))

describe("the inbound gate", () => {
  it("bounds what is being set up from one address, and prefers newcomers to what stalls", () => {
    const gate = inboundGate(limits)
    const old = [3000, 2500, 100, 100].map((agoMs) => from("192.0.2.1", agoMs))
    for (const connection of old) assert.isFalse(gate.denyInboundConnection(connection))
    // Two of them stall: they give way, the first one first. Nobody else does.
    assert.isFalse(gate.denyInboundConnection(from("192.0.2.1")))
    assert.isFalse(gate.denyInboundConnection(from("192.0.2.1")))
    assert.isTrue(gate.denyInboundConnection(from("192.0.2.1")))
    assert.deepStrictEqual(
      old.map(({ status }) => status),
      ["aborted", "aborted", "open", "open"]
    )
    assert.isFalse(gate.denyInboundConnection(from("192.0.2.2")))
    for (const connection of old.slice(2)) close(connection)
    assert.isFalse(gate.denyInboundConnection(from("192.0.2.1")))
  })

  it("is never full of what is being set up: addresses that have the most of it give way", () => {
    const gate = inboundGate(limits)
    const few = from("192.0.2.9")
    assert.isFalse(gate.denyInboundConnection(few))
    for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
      for (let index = 0; index < 3; index++) assert.isFalse(gate.denyInboundConnection(from(address)))
    }
    for (let index = 0; index < 5; index++) assert.isFalse(gate.denyInboundConnection(from(`198.51.100.${index}`)))
    assert.strictEqual(few.status, "open")
  })

  it("lets one address have so many at once, whoever they are, and then no more than its pace allows", () => {
    const gate = inboundGate({ ...limits, pacePerAddress: { burst: 3, perSecond: 0.001 } })
    const comesAndGoes = (host: string, peerId: string): boolean => {
      const connection = from(host)
      const isDenied = gate.denyInboundConnection(connection) || gate.denyInboundUpgradedConnection(peerId, connection)
      close(connection)
      return isDenied
    }
    const denied = Array.from({ length: 5 }, (_, index) => comesAndGoes("192.0.2.1", `a${index}`))
    assert.deepStrictEqual(denied, [false, false, false, true, true])
    assert.isFalse(comesAndGoes("192.0.2.2", "b"))
  })

  it("counts what has been set up by address, altogether, and no longer than it is open", () => {
    const gate = inboundGate(limits)
    const enter = (host: string, peerId: string) => {
      const connection = from(host)
      if (gate.denyInboundConnection(connection)) return undefined
      return gate.denyInboundUpgradedConnection(peerId, connection) ? undefined : connection
    }
    const first = Array.from({ length: 5 }, (_, index) => enter("192.0.2.1", `a${index}`))
    assert.isTrue(first.every((connection) => connection !== undefined))
    assert.isUndefined(enter("192.0.2.1", "a5"))
    first[2]?.abort(new Error("closed"))
    assert.isDefined(enter("192.0.2.1", "a5"))
    for (let host = 2; host < 5; host++) {
      for (let index = 0; index < 5; index++) assert.isDefined(enter(`192.0.2.${host}`, `${host}/${index}`))
    }
    assert.isUndefined(enter("192.0.2.77", "one too many"))
  })

  it("closes the oldest connection of an identity that comes again and again", () => {
    const gate = inboundGate(limits)
    const own = Array.from({ length: 4 }, () => from("192.0.2.1"))
    for (const connection of own) {
      assert.isFalse(gate.denyInboundConnection(connection))
      assert.isFalse(gate.denyInboundUpgradedConnection("one", connection))
    }
    assert.deepStrictEqual(
      own.map(({ status }) => status),
      ["aborted", "aborted", "open", "open"]
    )
  })
})

const portOf = (node: Node): number =>
  Number(
    node
      .getMultiaddrs()[0]
      ?.getComponents()
      .find(({ name }) => name === "tcp")?.value
  )

/** Sockets that are opened and say nothing, for as long as they are let. */
const idleSockets = (port: number, count: number) =>
  Effect.acquireRelease(
    Effect.async<ReadonlyArray<Socket>>((resume) => {
      let connected = 0
      const sockets = Array.from({ length: count }, () => {
        const socket = createConnection({ port, host: "127.0.0.1" })
        socket.on("error", () => socket.destroy())
        socket.once("connect", () => {
          if (++connected === count) resume(Effect.succeed(sockets))
        })
        return socket
      })
    }),
    (sockets) => Effect.sync(() => sockets.forEach((socket) => socket.destroy()))
  )

const dial = (node: Node, target: Node) => Effect.tryPromise(() => node.dial(target.getMultiaddrs()))

describe("a node with hundreds of idle sockets", () => {
  it.scopedLive("lets a newcomer in while they are still held, and dials as ever", () =>
    Effect.gen(function* () {
      const target = yield* makeNode({ agent: "target/1" })
      const sockets = yield* idleSockets(portOf(target), 400)
      const held = () => sockets.filter((socket) => !socket.destroyed)
      // Beyond its share the address is let go at once.
      yield* eventually(() => held().length <= 64)
      const elsewhere = yield* makeNode({ agent: "elsewhere/1" })
      const dialled = yield* dial(target, elsewhere)
      assert.strictEqual(dialled.direction, "outbound")
      const newcomer = yield* makeNode({ agent: "newcomer/1", listen: [] })
      yield* eventually(Effect.map(Effect.either(dial(newcomer, target)), Either.isRight))
      assert.isAbove(held().length, 0)
      yield* eventually(() => target.getConnections(newcomer.peerId).length === 1)
    })
  )

  it.scopedLive("leaves room for others where one address has its share of connections, and for those it dials", () =>
    Effect.gen(function* () {
      const target = yield* makeNode({ agent: "target/1", inbound: { perAddress: 3 } })
      const came = yield* Effect.forEach(Array.from({ length: 5 }), () =>
        Effect.flatMap(makeNode({ agent: "peer/1" }), (peer) =>
          Effect.map(Effect.either(dial(peer, target)), (result) => ({ peer, result }))
        )
      )
      yield* eventually(() => target.getConnections().length === 3)
      const refused = came.slice(3).map(({ peer }) => peer)
      yield* eventually(() => refused.every((peer) => peer.getConnections().length === 0))
      for (const peer of refused) yield* dial(target, peer)
      assert.strictEqual(target.getConnections().length, 5)
      // Who leaves makes room.
      yield* Effect.promise(() => came[0]?.peer.hangUp(target.peerId) ?? Promise.resolve())
      const late = yield* makeNode({ agent: "late/1", listen: [] })
      yield* eventually(Effect.map(Effect.either(dial(late, target)), Either.isRight))
      yield* eventually(() => target.getConnections(late.peerId).length === 1)
    })
  )

  it.scopedLive("keeps the newest connections of one identity", () =>
    Effect.gen(function* () {
      const target = yield* makeNode({ agent: "target/1", inbound: { perIdentity: 2 } })
      const peer = yield* makeNode({ agent: "peer/1", listen: [] })
      const all = yield* Effect.forEach(Array.from({ length: 5 }), () =>
        Effect.promise(() => peer.dial(target.getMultiaddrs(), { force: true }))
      )
      yield* eventually(() => target.getConnections(peer.peerId).length === 2)
      yield* eventually(() => all.map(({ status }) => status === "open").join() === "false,false,false,true,true")
    })
  )
})
