import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { multiaddr } from "@multiformats/multiaddr"
import { Effect, Queue, Schema } from "effect"
import { compressSync } from "snappy"
import { parseColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { GossipFaults } from "../../src/domain/gossip/GossipFaults.ts"
import { PeerView } from "../../src/domain/peer/PeerView.ts"
import { makeGossip, makeJoinedTopics } from "../../src/host/libp2p/Libp2pGossip.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"
import { eventsOf } from "./EventLines.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"
import { getJson, metricsOf, start } from "./Program.ts"

/** The first column of a block that came to the hostile peer, and the topics on which none of the block has come yet. */
interface Opening {
  readonly topic: string
  readonly data: Uint8Array
  readonly others: ReadonlyArray<string>
}

const columnOn = (topic: string): number => {
  const parsed = parseColumnTopic(topic)
  return parsed._tag === "Some" ? parsed.value.column : assert.fail(`${topic} is no topic of a column`)
}

const changed = (
  data: Uint8Array,
  change: (sidecar: ReturnType<typeof ssz.fulu.DataColumnSidecar.deserialize>) => void
): Uint8Array => {
  const sidecar = ssz.fulu.DataColumnSidecar.deserialize(data)
  change(sidecar)
  return ssz.fulu.DataColumnSidecar.serialize(sidecar)
}

/** What is wrong, and by which rule it is decided on. The last three are faults. */
const wrongs = {
  future_slot: ({ data }: Opening, topic: string) =>
    changed(data, (sidecar) => {
      sidecar.index = columnOn(topic)
      sidecar.signedBlockHeader.message.slot += 8
    }),
  wrong_subnet: ({ data }: Opening) => data,
  kzg_proof: ({ data }: Opening, topic: string) =>
    changed(data, (sidecar) => {
      sidecar.index = columnOn(topic)
    }),
  signature: ({ data }: Opening, topic: string) =>
    changed(data, (sidecar) => {
      sidecar.index = columnOn(topic)
      sidecar.signedBlockHeader.signature = new Uint8Array(96).fill(0xc0)
    })
} satisfies Record<string, (opening: Opening, topic: string) => Uint8Array>

/** Raw snappy of literals: the same data in as many forms as there are places to cut it. */
const cutAt = (data: Uint8Array, at: number): Uint8Array => {
  const literal = (part: Uint8Array) => {
    const length = part.length - 1
    return [61 << 2, length & 0xff, length >> 8, ...part]
  }
  const length = [(data.length & 0x7f) | 0x80, ((data.length >> 7) & 0x7f) | 0x80, data.length >> 14]
  return Uint8Array.from([...length, ...literal(data.subarray(0, at)), ...literal(data.subarray(at))])
}

/** A peer that hears an honest one, and sends bytes as they are. */
const hostilePeer = Effect.gen(function* () {
  const joined = makeJoinedTopics()
  const node = yield* makeNode({ agent: "hostile/1", gossip: joined.rules })
  const gossip = yield* makeGossip(node, joined)
  const openings = yield* Queue.sliding<Opening>(1)
  const begun = new Map<number, Set<string>>()
  let last: Uint8Array | undefined
  const listen = (topics: ReadonlyArray<string>) =>
    Effect.forEach(topics, (topic) =>
      gossip.join(topic, {
        mostBytes: 100_000,
        judge: ({ data }) =>
          Effect.sync(() => {
            const { slot } = ssz.fulu.DataColumnSidecar.deserialize(data).signedBlockHeader.message
            const heard = begun.get(slot) ?? new Set()
            begun.set(slot, heard.add(topic))
            if (heard.size === 1) {
              openings.unsafeOffer({ topic, data, others: topics.filter((other) => other !== topic) })
            }
            last = data
            return "ignore" as const
          })
      })
    )
  const sendRaw = (to: string, messages: ReadonlyArray<{ readonly topic: string; readonly data: Uint8Array }>) =>
    Effect.sync(() => {
      const send: unknown = Reflect.get(node.services.gossip, "sendRpc")
      if (typeof send !== "function") return assert.fail("gossipsub has no sendRpc")
      Reflect.apply(send, node.services.gossip, [to, { subscriptions: [], messages }])
    })
  return { node, gossip, openings, listen, sendRaw, lastHeard: () => last }
})

const evidenceIn = (home: string) => readdirSync(join(home, "dasmon.db.evidence"))

describe("the program's gossip beside a hostile peer", () => {
  it.scopedLive("names it alone, by each rule, and accepts all honest columns on time while it floods", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork("--peers supernode:1 --seed 11 --slot-duration 1s")
      const hostile = yield* hostilePeer
      const hostileId = hostile.node.peerId.toString()
      const honestId = peers[0]?.peerId ?? ""
      const log = join(home, "events.jsonl")
      const config = join(home, "config.yaml")
      yield* Effect.sync(() =>
        writeFileSync(
          config,
          [
            `beacon_api: ${beaconApi}`,
            `database_path: ${join(home, "dasmon.db")}`,
            `event_log_file: ${log}`,
            "http_addr: 127.0.0.1:0",
            "metrics: { enabled: true, port: 0 }",
            "peers:",
            ...[...peers.map(({ enr }) => enr), hostile.node.getMultiaddrs()[0]?.toString() ?? ""].map(
              (peer) => `  - ${peer}`
            )
          ].join("\n")
        )
      )
      const program = yield* start(["run", "--config", config])
      const [, api = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
      const metric = yield* metricsOf(program)
      const decidedBy = (rule: string) => metric(`dasmon_gossip_rulings_total{rule="${rule}"}`)

      const us = () =>
        hostile.node.getPeers().find((peer) => hostile.gossip.columnTopicsOf(peer.toString()).length === 4)
      yield* eventually(() => us() !== undefined, "60 seconds")
      const ourId = us()?.toString() ?? ""
      const topics = hostile.gossip.columnTopicsOf(ourId)
      yield* Effect.promise((signal) => hostile.node.dial(multiaddr(peers[0]?.multiaddr ?? ""), { signal }))
      yield* hostile.listen(topics)
      yield* eventually(
        Effect.map(decidedBy("accepted"), (accepted) => accepted >= 4),
        "60 seconds"
      )

      for (const [rule, make] of Object.entries(wrongs)) {
        const before = yield* decidedBy(rule)
        const attempt = Effect.gen(function* () {
          const opening = yield* Queue.take(hostile.openings)
          const [topic = ""] = opening.others
          yield* hostile.sendRaw(ourId, [{ topic, data: compressSync(make(opening, topic)) }])
          // Where the honest column was first, this one is a duplicate, and that of the next block is tried.
          yield* Effect.sleep("500 millis")
          return (yield* decidedBy(rule)) > before
        })
        yield* eventually(attempt, "60 seconds")
      }

      const peakBefore = yield* metric("dasmon_resident_memory_bytes")
      const began = Date.now()
      const [topic = ""] = topics
      for (let round = 0; round < 60; round++) {
        const data = hostile.lastHeard() ?? new Uint8Array(0)
        const flood = Array.from({ length: 10 }, (_, at) => [
          { topic, data: cutAt(data, 1 + ((round * 10 + at) % (data.length - 2))) },
          { topic, data: compressSync(new Uint8Array(200_000).fill(at)) },
          // Says that it is of four gigabytes, and then nothing that can be inflated.
          { topic, data: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, at, round) },
          { topic, data: Uint8Array.of(200, 1, 0xff, at, round) }
        ])
        yield* hostile.sendRaw(ourId, flood.flat())
        yield* Effect.sleep("100 millis")
      }
      const ended = Date.now()
      const arrivalsOf = () => {
        const bySlot = new Map<number, Array<{ readonly peerId: string }>>()
        for (const event of eventsOf(log)) {
          const startsAt = event._tag === "ColumnArrival" ? event.at - event.arrivalMs : 0
          if (event._tag !== "ColumnArrival" || startsAt < began || startsAt > ended - 1000) continue
          bySlot.set(event.slot, [...(bySlot.get(event.slot) ?? []), event])
        }
        return [...bySlot.values()]
      }
      yield* eventually(
        () => arrivalsOf().length >= 3 && arrivalsOf().every((columns) => columns.length === 4),
        "60 seconds"
      )
      const arrivals = arrivalsOf().flat()
      assert.deepStrictEqual([...new Set(arrivals.map(({ peerId }) => peerId))], [honestId])

      const faults = eventsOf(log).flatMap((event) => (event._tag === "GossipFault" ? [event.fault] : []))
      assert.isTrue(faults.every(({ peerId }) => peerId === hostileId))
      assert.sameMembers([...new Set(faults.map(({ rule }) => rule))], ["wrong_subnet", "kzg_proof", "signature"])
      yield* eventually(() => evidenceIn(home).length === faults.length)
      assert.isTrue(evidenceIn(home).every((name) => name.includes(hostileId)))
      assert.isAbove(yield* metric("dasmon_gossip_dropped_total"), 0, "more than one peer may send")
      assert.isBelow((yield* metric("dasmon_resident_memory_bytes")) - peakBefore, 200 * 2 ** 20)

      // Once the blocks of the flood are old enough to be counted: all came, and nothing is left out as our own doing.
      const blocks = (columns: string) => metric(`dasmon_gossip_blocks_total{columns="${columns}",within="12s"}`)
      yield* eventually(
        Effect.map(blocks("all"), (whole) => whole >= 5),
        "60 seconds"
      )
      assert.deepStrictEqual(yield* Effect.forEach(["half", "some", "none"], blocks), [0, 0, 0])
      assert.strictEqual(yield* metric("dasmon_gossip_unjudged_columns_total"), 0)

      const views = yield* Effect.flatMap(getJson(api, "/peers"), Schema.decodeUnknown(Peers))
      assert.sameMembers(
        views.peers.map(({ peerId }) => peerId),
        [honestId, hostileId]
      )
      const spread = (peerId: string) =>
        Effect.map(
          Effect.flatMap(getJson(api, `/peers/${peerId}`), Schema.decodeUnknown(Detail)),
          ({ gossip }) => gossip.faults
        )
      assert.deepStrictEqual([yield* spread(honestId), yield* spread(hostileId)], [0, faults.length])
      for (const { outcomes, peerId, verdict } of views.peers) {
        assert.deepStrictEqual([peerId, outcomes.invalid, outcomes.malformed], [peerId, 0, 0])
        assert.notStrictEqual(verdict, "violating")
      }
    })
  )
})

const Peers = Schema.Struct({ peers: Schema.Array(PeerView) })
const Detail = Schema.Struct({ gossip: GossipFaults })
