import { randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { identify } from "@libp2p/identify"
import type { Libp2p, Stream } from "@libp2p/interface"
import { noise } from "@libp2p/noise"
import { tcp } from "@libp2p/tcp"
import { yamux } from "@libp2p/yamux"
import { Effect } from "effect"
import { createLibp2p } from "libp2p"
import { makeNode, type Node } from "../../../src/wire/Node.ts"
import { eventually } from "../../Eventually.ts"

const protocol = "/meshsub/1.1.0"

/** One RPC with a subscription, as it goes over the wire: all lengths are below 128. */
const subscribing = (topic: string): Uint8Array => {
  const name = new TextEncoder().encode(topic)
  return Uint8Array.from([name.length + 6, 0x0a, name.length + 4, 0x08, 1, 0x12, name.length, ...name])
}

/** A node without gossip of its own, that answers `/meshsub` with `onStream` or, without that, lets it wait for ever. */
const stranger = (onStream?: (stream: Stream) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const node = await createLibp2p({
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify() }
      })
      await node.handle(protocol, onStream ?? (() => {}))
      return node
    }),
    (node) => Effect.promise(async () => node.stop())
  )

const open = (from: Libp2p, to: Node) =>
  Effect.gen(function* () {
    const connection = yield* Effect.promise(() => from.dial(to.getMultiaddrs()))
    return yield* Effect.promise(() => connection.newStream(protocol))
  })

describe("gossipsub, guarded", () => {
  it.scopedLive("keeps nothing of a peer that it has forgotten", () =>
    Effect.gen(function* () {
      const us = yield* makeNode({ agent: "us/1" })
      const { gossip } = us.services
      const them = yield* stranger()
      const [broken, sound] = [yield* open(them, us), yield* open(them, us)]
      sound.send(subscribing("first"))
      yield* eventually(() => gossip.getSubscribers("first").length === 1)
      // A length that no message has: the stream cannot be read any more, and the peer is forgotten.
      broken.send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1))
      yield* eventually(() => gossip.getSubscribers("first").length === 0)
      sound.send(subscribing("second"))
      // Another peer's, which comes later.
      const later = yield* stranger()
      const other = yield* open(later, us)
      other.send(subscribing("third"))
      yield* eventually(() => gossip.getSubscribers("third").length === 1)
      assert.strictEqual(gossip.getSubscribers("second").length, 0)
      yield* Effect.promise(() => them.hangUp(us.peerId))
      yield* eventually(() => us.getConnections(them.peerId).length === 0)
      assert.strictEqual(gossip.getSubscribers("second").length, 0)
    })
  )

  it.scopedLive("keeps for an hour at most that a peer does not want us back", () =>
    Effect.gen(function* () {
      const us = yield* makeNode({ agent: "us/1" })
      us.services.gossip.subscribe("t")
      const them = yield* stranger()
      const stream = yield* open(them, us)
      // A PRUNE of topic "t" with a backoff of 2^42 - 1 seconds.
      const prune = [0x0a, 1, 0x74, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
      const control = [0x22, prune.length, ...prune]
      stream.send(Uint8Array.from([control.length + 2, 0x1a, control.length, ...control]))
      const untilMs = yield* eventually(() => {
        const backoff: unknown = Reflect.get(us.services.gossip, "backoff")
        const peers: unknown = backoff instanceof Map ? backoff.get("t") : undefined
        const until: unknown = peers instanceof Map ? peers.get(them.peerId.toString()) : undefined
        return typeof until === "number" && until
      })
      assert.isAtMost(untilMs, Date.now() + 3_600_000)
    })
  )

  it.scopedLive("opens its streams to others while one does not answer", () =>
    Effect.gen(function* () {
      const us = yield* makeNode({ agent: "us/1" })
      us.services.gossip.subscribe("ours")
      // Their openings are waited for until the limit of negotiations; here these never end, so that time proves nothing.
      const mutes = new Set<string>()
      us.addEventListener("connection:open", ({ detail: connection }) => {
        const newStream = connection.newStream.bind(connection)
        if (!mutes.has(connection.remotePeer.toString())) return
        connection.newStream = (wanted, options) =>
          [wanted].flat().includes(protocol) ? new Promise(() => {}) : newStream(wanted, options)
      })
      for (let number = 0; number < 3; number++) {
        const mute = yield* stranger()
        mutes.add(mute.peerId.toString())
        yield* open(mute, us)
      }
      let opened = 0
      const honest = yield* stranger(() => opened++)
      yield* open(honest, us)
      yield* eventually(() => opened === 1)
    })
  )

  it.scopedLive("goes on with a peer that was slow to take in what we sent, and keeps little for it meanwhile", () =>
    Effect.gen(function* () {
      const us = yield* makeNode({ agent: "us/1" })
      const { gossip } = us.services
      gossip.subscribe("topic")
      let theirs: Stream | undefined
      let received = 0
      const them = yield* stranger((stream) => {
        theirs = stream
        stream.addEventListener("message", ({ data }) => void (received += data.byteLength))
        stream.pause()
      })
      const own = yield* open(them, us)
      own.send(subscribing("topic"))
      yield* eventually(() => theirs !== undefined && gossip.getSubscribers("topic").length === 1)
      const ours = yield* eventually(
        () =>
          us
            .getConnections()
            .flatMap(({ streams }) => streams)
            .find((to) => to.direction === "outbound" && to.protocol === protocol) ?? false
      )
      const columns = Array.from({ length: 200 }, (_, column) => randomBytes(45_000 + column))
      let most = 0
      for (const column of columns) {
        yield* Effect.promise(() => gossip.publish("topic", column))
        most = Math.max(most, ours.writeBufferLength)
      }
      assert.isAbove(most, 2 ** 21, "it takes in nothing")
      assert.isAtMost(most, 2 ** 22)
      assert.strictEqual(ours.status, "open")
      theirs?.resume()
      yield* eventually(() => ours.writeBufferLength === 0 && received >= most)
      const before = received
      yield* Effect.promise(() => gossip.publish("topic", randomBytes(900_000)))
      yield* eventually(() => received >= before + 900_000)
    })
  )
})
