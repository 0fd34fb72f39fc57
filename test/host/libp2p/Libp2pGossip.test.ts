import { TopicValidatorResult } from "@libp2p/gossipsub"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Logger, Option, Scope } from "effect"
import { columnTopic } from "../../../src/domain/network/ColumnTopic.ts"
import { type GossipMessage, type GossipVerdict } from "../../../src/host/Gossip.ts"
import { makeGossip, makeJoinedTopics } from "../../../src/host/libp2p/Libp2pGossip.ts"
import { makeNode, type Node } from "../../../src/wire/Node.ts"
import type { Transport } from "../../../src/domain/peer/Transport.ts"
import { hexMessageId } from "../../../src/wire/gossip/MessageId.ts"
import { eventually } from "../../Eventually.ts"
import { listenOn, transports } from "./Nodes.ts"

const topic = columnTopic({ forkDigest: "0x8c9f62fe", column: 3 })
const text = (message: string) => new TextEncoder().encode(message)

/** A node with gossip of its own. */
const makeSide = Effect.fnUntraced(function* (
  agent: string,
  transport: Transport,
  prepare: (node: Node) => Effect.Effect<void> = () => Effect.void
) {
  const joined = makeJoinedTopics()
  const node = yield* makeNode({ agent, gossip: joined.rules, listen: listenOn(transport) })
  yield* prepare(node)
  const gossip = yield* makeGossip(node, joined)
  return { node, gossip, id: node.peerId.toString() }
})
type Side = Effect.Effect.Success<ReturnType<typeof makeSide>>

const listen = (
  heard: Array<string>,
  verdict: (text: string) => GossipVerdict = () => "accept",
  onProbe: () => void = () => {}
) => ({
  mostBytes: 1000,
  judge: ({ data }: GossipMessage) =>
    Effect.sync(() => {
      const message = new TextDecoder().decode(data)
      if (message.startsWith(probe)) {
        onProbe()
        return "accept" as const
      }
      heard.push(message)
      return verdict(message)
    })
})

/** What a message begins with that only finds out whether messages get through. */
const probe = "probe "

const link = (from: Side, to: Side) => Effect.promise(() => from.node.dial(to.node.getMultiaddrs()))
const say = (side: Side, message: string | Uint8Array) =>
  Effect.promise(() => side.node.services.gossip.publish(topic, typeof message === "string" ? text(message) : message))

/** Publisher, us, and someone who hears of the publisher only through us; all on the topic. */
const lineOn = Effect.fnUntraced(function* (
  transport: Transport,
  verdict: (text: string) => GossipVerdict,
  prepare?: (node: Node) => Effect.Effect<void>
) {
  const [publisher, us, listener] = [
    yield* makeSide("publisher/1", transport, prepare),
    yield* makeSide("us/1", transport),
    yield* makeSide("listener/1", transport, prepare)
  ]
  const heard: Record<"us" | "listener", Array<string>> = { us: [], listener: [] }
  yield* publisher.gossip.join(topic, listen([]))
  yield* us.gossip.join(topic, listen(heard.us, verdict))
  let isThrough = false
  yield* listener.gossip.join(
    topic,
    listen(heard.listener, undefined, () => {
      isThrough = true
    })
  )
  yield* link(publisher, us)
  yield* link(us, listener)
  yield* eventually(() => us.gossip.columnTopicsOf(publisher.id).length === 1)
  yield* eventually(() => listener.gossip.columnTopicsOf(us.id).includes(topic))
  yield* eventually(() => publisher.gossip.columnTopicsOf(us.id).includes(topic))
  // A message is forwarded once, to those that are in our mesh by then: it takes some until they all are.
  let probes = 0
  yield* eventually(
    Effect.suspend(() => (isThrough ? Effect.succeed(true) : Effect.as(say(publisher, `${probe}${probes++}`), false))),
    "20 seconds",
    "100 millis"
  )
  return { publisher, us, listener, heard }
})

const speaksOnly = (protocol: string) => (node: Node) => {
  const { gossip } = node.services
  const others = gossip.protocols.filter((other) => other !== protocol)
  gossip.protocols = [protocol]
  return Effect.promise(() => node.unhandle(others))
}

type RestOfLine = Parameters<typeof lineOn> extends [Transport, ...infer Rest] ? Rest : never

describe.each(transports)("gossip over %s", (transport) => {
  const line = (...rest: RestOfLine) => lineOn(transport, ...rest)

  it.scopedLive("is forwarded once it is accepted, and never before, or otherwise", () =>
    Effect.gen(function* () {
      const { heard, publisher } = yield* line((message) =>
        message === "right" ? "accept" : message === "wrong" ? "reject" : "ignore"
      )
      for (const message of ["wrong", "unknown", "right"]) yield* say(publisher, message)
      yield* eventually(() => heard.listener.length > 0)
      assert.deepStrictEqual(heard.us, ["wrong", "unknown", "right"])
      assert.deepStrictEqual(heard.listener, ["right"])
    })
  )

  for (const protocol of ["/meshsub/1.1.0", "/meshsub/1.2.0"]) {
    it.scopedLive(`is spoken with who speaks only ${protocol}`, () =>
      Effect.gen(function* () {
        const { heard, publisher, us } = yield* line(() => "accept", speaksOnly(protocol))
        yield* say(publisher, "hello")
        yield* eventually(() => heard.listener.includes("hello"))
        const streams = us.node.getConnections().flatMap(({ streams }) => streams.map((stream) => stream.protocol))
        assert.deepStrictEqual([...new Set(streams.filter((name) => name.startsWith("/meshsub")))], [protocol])
      })
    )
  }

  it.scopedLive("is judged once, however many send it", () =>
    Effect.gen(function* () {
      const { heard, listener, publisher, us } = yield* line(() => "accept")
      yield* link(publisher, listener)
      yield* eventually(() => listener.gossip.columnTopicsOf(publisher.id).length === 1)
      yield* say(publisher, "twice")
      yield* eventually(() => heard.us.length > 0 && heard.listener.length > 0)
      yield* say(publisher, "after")
      yield* eventually(() => heard.us.includes("after") && heard.listener.includes("after"))
      assert.deepStrictEqual(heard.us, ["twice", "after"])
      assert.strictEqual(us.gossip.columnTopicsOf(publisher.id).length, 1)
    })
  )

  it.scopedLive("is told of again with each further copy, and published once", () =>
    Effect.gen(function* () {
      const { listener, publisher, us } = yield* line(() => "accept")
      const ids: Array<string> = []
      const copies: Array<string> = []
      const other = columnTopic({ forkDigest: "0x8c9f62fe", column: 9 })
      const joining = {
        mostBytes: 1000,
        judge: ({ id }: GossipMessage) => {
          ids.push(id)
          return Effect.succeed("accept" as const)
        },
        copied: (id: string) => void copies.push(id)
      }
      yield* us.gossip.join(other, joining)
      yield* eventually(() => [publisher, listener].every(({ gossip }) => gossip.columnTopicsOf(us.id).includes(other)))
      assert.strictEqual(yield* publisher.gossip.publish(other, text("a column")), 1)
      yield* eventually(() => ids.length === 1)
      assert.strictEqual(yield* publisher.gossip.publish(other, text("a column")), 0, "it was said already")
      assert.deepStrictEqual(copies, [])
      // Who is not on the topic has not heard it, and publishes it too.
      assert.strictEqual(yield* listener.gossip.publish(other, text("a column")), 1)
      yield* eventually(() => copies.length === 1)
      assert.deepStrictEqual(copies, [hexMessageId(other, text("a column"))])
      assert.deepStrictEqual(ids, copies)
    })
  )

  it.scopedLive(
    "is judged again when it comes from somebody else, where the first was not judged for its sender's sake",
    () =>
      Effect.gen(function* () {
        const { listener, publisher, us } = yield* line(() => "accept")
        const other = columnTopic({ forkDigest: "0x8c9f62fe", column: 9 })
        const judged: Array<string> = []
        const copies: Array<string> = []
        yield* us.gossip.join(other, {
          mostBytes: 1000,
          judge: ({ data, from }: GossipMessage) => {
            judged.push(`${from === listener.id ? "muted" : "honest"}: ${new TextDecoder().decode(data)}`)
            return Effect.succeed(from === listener.id ? ("unjudged" as const) : ("accept" as const))
          },
          copied: (id: string) => void copies.push(id)
        })
        yield* eventually(() =>
          [publisher, listener].every(({ gossip }) => gossip.columnTopicsOf(us.id).includes(other))
        )
        assert.strictEqual(yield* listener.gossip.publish(other, text("a column")), 1)
        yield* eventually(() => judged.length === 1)
        assert.strictEqual(yield* publisher.gossip.publish(other, text("a column")), 1)
        yield* eventually(() => judged.length === 2)
        assert.deepStrictEqual(judged, ["muted: a column", "honest: a column"])
        assert.deepStrictEqual(copies, [])
      })
  )

  it.scopedLive("is told of as dropped where too much is under way, and judged when it comes again", () =>
    Effect.gen(function* () {
      const us = yield* makeSide("us/1", transport)
      const dropped: Array<string> = []
      const isFree = yield* Deferred.make<void>()
      yield* us.gossip.join(topic, {
        mostBytes: 1000,
        judge: () => Effect.as(Deferred.await(isFree), "accept" as const),
        dropped: (data) => void dropped.push(new TextDecoder().decode(Option.getOrThrow(data)))
      })
      const validate = us.node.services.gossip.topicValidators.get(topic)
      const others = yield* Effect.forEach([1, 2, 3], (at) => makeSide(`other ${at}/1`, transport))
      const send = (from: Side, message: string) =>
        Promise.resolve(validate?.(from.node.peerId, { type: "unsigned", topic, data: text(message) }))
      const results = others.flatMap((from, peer) =>
        Array.from({ length: 193 }, (_, at) => send(from, `${peer}/${at}`))
      )
      assert.deepStrictEqual(
        dropped.filter((message) => message.startsWith("0")),
        ["0/192"],
        "more than one peer may have"
      )
      assert.strictEqual(results.length - dropped.length, 192 + 64 + 24, "and less is left for the next")
      yield* Deferred.succeed(isFree, undefined)
      yield* Effect.promise(() => Promise.all(results))
      const [, , last] = others
      if (last === undefined) return assert.fail("there is no third")
      assert.strictEqual(yield* Effect.promise(() => send(last, "2/192")), TopicValidatorResult.Accept)
    })
  )

  it.scopedLive("is dropped where it is too large, or of a topic that we are not on", () =>
    Effect.gen(function* () {
      const { heard, publisher, us } = yield* line(() => "accept")
      yield* say(publisher, new Uint8Array(1001))
      const other = columnTopic({ forkDigest: "0x8c9f62fe", column: 4 })
      yield* us.gossip.join(other, listen(heard.us))
      yield* eventually(() => publisher.gossip.columnTopicsOf(us.id).includes(other))
      const left = yield* Scope.make()
      const third = columnTopic({ forkDigest: "0x8c9f62fe", column: 5 })
      yield* Scope.extend(us.gossip.join(third, listen(heard.us)), left)
      yield* eventually(() => publisher.gossip.columnTopicsOf(us.id).includes(third))
      yield* Scope.close(left, Exit.void)
      yield* Effect.promise(() => publisher.node.services.gossip.publish(third, text("left")))
      yield* Effect.promise(() => publisher.node.services.gossip.publish(other, text("joined")))
      yield* eventually(() => heard.us.length > 0)
      assert.deepStrictEqual(heard.us, ["joined"])
      yield* eventually(() => !publisher.gossip.columnTopicsOf(us.id).includes(third))
    })
  )

  it.scopedLive("keeps what a peer says that it is on for as long as it is connected", () =>
    Effect.gen(function* () {
      const { publisher, us } = yield* line(() => "accept")
      publisher.node.services.gossip.subscribe("/eth2/8c9f62fe/beacon_block/ssz_snappy")
      const more = columnTopic({ forkDigest: "0x8c9f62fe", column: 127 })
      publisher.node.services.gossip.subscribe(more)
      yield* eventually(() => us.gossip.columnTopicsOf(publisher.id).includes(more))
      assert.sameMembers([...us.gossip.columnTopicsOf(publisher.id)], [topic, more])
      yield* Effect.promise(() => publisher.node.hangUp(us.node.peerId))
      yield* eventually(() => us.gossip.columnTopicsOf(publisher.id).length === 0)
    })
  )

  it.scopedLive("is taken in up to so many messages a second, whoever floods us", () =>
    Effect.gen(function* () {
      const joined = makeJoinedTopics()
      const node = yield* makeNode({ agent: "us/1", gossip: joined.rules })
      yield* Effect.flatMap(makeGossip(node, joined), (gossip) => gossip.join(topic, listen([])))
      const taken = Array.from({ length: 20_000 }, () => joined.rules.mostBytes(topic)).filter((most) => most > 0)
      assert.isAtLeast(taken.length, 1024)
      // Some of a second may have gone by in between.
      assert.isAtMost(taken.length, 2048)
      assert.strictEqual(joined.rules.mostBytes("/eth2/8c9f62fe/beacon_block/ssz_snappy"), 0)
    })
  )

  it.scopedLive("is ignored where its judge fails, which is a bug, and silently where its judge is at its end", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void logged.push(String(message)))
      )
      const us = yield* makeSide("us/1", transport).pipe(Effect.provide(logger))
      const verdictOf = (judge: Effect.Effect<GossipVerdict>) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* us.gossip.join(topic, { mostBytes: 1000, judge: () => judge })
            const validate = us.node.services.gossip.topicValidators.get(topic)
            const message = { type: "unsigned" as const, topic, data: text("hello") }
            return yield* Effect.promise(async () => validate?.(us.node.peerId, message))
          })
        )
      assert.strictEqual(yield* verdictOf(Effect.interrupt), TopicValidatorResult.Ignore)
      assert.deepStrictEqual(logged, [])
      assert.strictEqual(yield* verdictOf(Effect.die("a bug")), TopicValidatorResult.Ignore)
      assert.deepStrictEqual(logged.length, 1)
      assert.include(logged[0], "this is a bug in dasmon")
    })
  )

  it.scopedLive("does not go beyond 200 topics", () =>
    Effect.gen(function* () {
      const us = yield* makeSide("us/1", transport)
      for (let column = 0; column < 128; column++) {
        for (const forkDigest of ["0x00000001", "0x00000002"])
          yield* us.gossip.join(columnTopic({ forkDigest, column }), listen([]))
      }
      assert.strictEqual(us.node.services.gossip.getTopics().length, 200)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})
