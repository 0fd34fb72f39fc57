import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Queue, Stream } from "effect"
import { columnTopic } from "../../../src/domain/network/ColumnTopic.ts"
import type { HostEvent } from "../../../src/host/Host.ts"
import { watchGossip } from "../../../src/host/libp2p/GossipGoesOn.ts"
import { fromNode } from "../../../src/host/libp2p/Libp2pHost.ts"
import { pingRequest } from "../../../src/wire/Handshake.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import type { Transport } from "../../../src/domain/peer/Transport.ts"
import { eventually } from "../../Eventually.ts"
import { addressOf, listenOn, transports } from "./Nodes.ts"

const topic = columnTopic({ forkDigest: "0x8c9f62fe", column: 3 })
const status = {
  forkDigest: "0x8c9f62fe",
  finalizedRoot: `0x${"00".repeat(32)}`,
  finalizedEpoch: 0,
  headRoot: `0x${"00".repeat(32)}`,
  headSlot: 0,
  earliestAvailableSlot: 0
}

/** A host with all that it does of its connections, and what it tells of them. */
const side = Effect.fnUntraced(function* (agent: string, transport: Transport) {
  const node = yield* makeNode({ agent, listen: listenOn(transport) })
  node.services.gossip.subscribe(topic)
  yield* watchGossip(node)
  const host = yield* fromNode(node, {
    serve: Effect.succeed(status),
    manners: { silence: Duration.minutes(1), streams: 256, second: Duration.seconds(1) }
  })
  const events = yield* Queue.unbounded<HostEvent>()
  yield* Effect.forkScoped(Stream.runForEach(yield* host.events, (event) => events.offer(event)))
  return { node, host, events, id: node.peerId.toString() }
})
type Side = Effect.Effect.Success<ReturnType<typeof side>>

const ask = (from: Side, to: Side) =>
  from.host.request(to.id, pingRequest(1)).pipe(
    Effect.flatMap(({ chunks }) => Stream.runCount(chunks)),
    Effect.scoped
  )

describe("two hosts that dial each other at once", () => {
  it.scopedLive.each(transports)("end with one connection over %s, and no request fails of it", (transport) =>
    Effect.gen(function* () {
      const [one, two] = [yield* side("one/1", transport), yield* side("two/1", transport)]
      // Beside the hosts, which would wait for each other: neither knows of the other's dial.
      yield* Effect.all(
        [
          Effect.promise(async () => one.node.dial(two.node.getMultiaddrs())),
          Effect.promise(async () => two.node.dial(one.node.getMultiaddrs()))
        ],
        { concurrency: 2, discard: true }
      )
      yield* one.host.connect(addressOf(two.node))
      const lengths = () => [one, two].map(({ node }) => node.getConnections().length)
      yield* eventually(() => lengths().every((length) => length === 2))
      yield* Effect.raceFirst(
        Effect.forever(
          Effect.gen(function* () {
            assert.strictEqual(yield* ask(one, two), 1)
            assert.strictEqual(yield* ask(two, one), 1)
          })
        ),
        eventually(() => lengths().every((length) => length === 1))
      )
      const left = [one, two].map(({ node }) => node.getConnections()[0]?.direction)
      const [smaller] = [one.id, two.id].sort()
      assert.deepStrictEqual(left, smaller === one.id ? ["outbound", "inbound"] : ["inbound", "outbound"])
      for (const { events, node } of [one, two]) {
        yield* eventually(() => node.services.gossip.getSubscribers(topic).length === 1)
        const told = yield* Queue.takeAll(events)
        assert.deepStrictEqual(
          [...told].map(({ _tag }) => _tag),
          ["Connected"]
        )
      }
      // Gossip goes on over what is left, both ways.
      for (const [from, to] of [
        [one, two],
        [two, one]
      ] as const) {
        from.node.services.gossip.unsubscribe(topic)
        yield* eventually(() => to.node.services.gossip.getSubscribers(topic).length === 0)
        from.node.services.gossip.subscribe(topic)
        yield* eventually(() => to.node.services.gossip.getSubscribers(topic).length === 1)
      }
    })
  )
})
