import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { peekAnySidecar } from "../../src/domain/column/Sidecar.ts"
import type { GossipMessage } from "../../src/host/Gossip.ts"
import { makeGossip, makeJoinedTopics } from "../../src/host/libp2p/Libp2pGossip.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"
import { metricsOf, start } from "./Program.ts"

/** A node that the monitor alone is connected to; what it hears, it hears through the monitor. */
const outsider = Effect.gen(function* () {
  const joined = makeJoinedTopics()
  const node = yield* makeNode({ agent: "outsider/1", gossip: joined.rules })
  const gossip = yield* makeGossip(node, joined)
  const heard: Array<{ readonly topic: string; readonly data: Uint8Array }> = []
  const join = (topic: string) =>
    gossip.join(topic, {
      mostBytes: 100_000,
      judge: ({ data }: GossipMessage) =>
        Effect.as(
          Effect.sync(() => heard.push({ topic, data })),
          "ignore" as const
        )
    })
  /** The topics that whoever is connected is on. */
  const topics = () => node.getPeers().flatMap((peerId) => gossip.columnTopicsOf(peerId.toString()))
  return { node, gossip, heard, join, topics, address: node.getMultiaddrs()[0]?.toString() ?? "" }
})

describe("the program's gossip", () => {
  it.scopedLive("forwards the columns that it has verified, and none that is corrupt", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork("--peers supernode:1 --seed 7 --slot-duration 1s")
      const [listener, liar] = [yield* outsider, yield* outsider]
      const config = join(home, "config.yaml")
      yield* Effect.sync(() =>
        writeFileSync(
          config,
          [
            `beacon_api: ${beaconApi}`,
            `database_path: ${join(home, "dasmon.db")}`,
            "http_addr: 127.0.0.1:0",
            "metrics: { enabled: true, port: 0 }",
            "peers:",
            ...[...peers.map(({ enr }) => enr), listener.address, liar.address].map((peer) => `  - ${peer}`)
          ].join("\n")
        )
      )
      const program = yield* start(["run", "--config", config])
      const metric = yield* metricsOf(program)
      const count = (verdict: string) => metric(`dasmon_gossip_messages_total{verdict="${verdict}"}`)

      yield* eventually(() => listener.topics().length === 4 && liar.topics().length === 4, "60 seconds")
      const [topic = ""] = listener.topics()
      yield* listener.join(topic)
      yield* eventually(() => listener.heard.length > 0, "60 seconds")
      assert.isAbove(yield* count("accept"), 0)
      assert.strictEqual(yield* count("reject"), 0)

      // The same as another column, which it is not, while its slot is not final: a second one of the same is none to judge.
      const [column] = listener.heard.slice(-1)
      if (column === undefined) return assert.fail("nothing was heard")
      const corrupt = Uint8Array.from(column.data)
      corrupt.set([((corrupt[0] ?? 0) + 1) % 128], 0)
      assert.strictEqual(peekAnySidecar(corrupt)._tag, "Right")
      yield* Effect.promise(() => liar.node.services.gossip.publish(topic, corrupt))
      yield* eventually(Effect.map(count("reject"), (rejected) => rejected === 1))
      const before = listener.heard.length
      yield* eventually(() => listener.heard.length > before, "60 seconds")
      const evidence = readdirSync(join(home, "dasmon.db.evidence"))
      assert.strictEqual(evidence.filter((name) => name.includes(liar.node.peerId.toString())).length, 1)
      assert.isFalse(listener.heard.some(({ data }) => Buffer.from(data).equals(corrupt)))
    })
  )
})
