import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Either } from "effect"
import { makeBlobPool } from "../../src/devnet/chain/BlobPool.ts"
import { encodeSidecar, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { someColumns } from "../../src/devnet/chain/PartialBlocks.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { peekAnySidecar } from "../../src/domain/column/Sidecar.ts"
import { numberOfColumns, slotAt } from "../../src/domain/network/Chain.ts"
import { columnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import type { GossipMessage } from "../../src/host/Gossip.ts"
import { makeGossip, makeJoinedTopics } from "../../src/host/libp2p/Libp2pGossip.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder } from "./Network.ts"
import { start } from "./Program.ts"

const seed = 5
const blobs = 2
const slotMs = 2000
const firstSlot = 3 * 32

/** Every tenth block of the first hour has exactly half of its columns. */
const partial = new Map(
  Array.from({ length: 180 }, (_, n) => firstSlot + 10 * n + 9).map((slot) => [slot, [...someColumns(seed, slot, 64)]])
)

describe("the program that participates, and hears exactly half of a block", () => {
  it.scopedLive("recovers the rest, and publishes it once, byte for byte", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { beaconApi, chain, parameters, peers } = yield* makeDevnet({
        peers: ["supernode", "supernode"],
        seed,
        blobs,
        slotDuration: Duration.millis(slotMs),
        historyEpochs: firstSlot / 32,
        partial
      })

      // It is connected to the program alone: what it hears, it hears from it.
      const joined = makeJoinedTopics()
      const node = yield* makeNode({ agent: "listener/1", gossip: joined.rules })
      const gossip = yield* makeGossip(node, joined)
      const heard: Array<{ readonly slot: number; readonly column: number; readonly data: Uint8Array }> = []
      const forkDigest = forkDigestOfSlot(parameters, slotAt(parameters, yield* Clock.currentTimeMillis))
      for (let column = 0; column < numberOfColumns; column++) {
        yield* gossip.join(columnTopic({ forkDigest, column }), {
          mostBytes: 100_000,
          judge: ({ data }: GossipMessage) =>
            Effect.sync(() => {
              heard.push({ slot: Either.getOrThrow(peekAnySidecar(data)).slot, column, data })
              return "accept" as const
            })
        })
      }

      const enrs = yield* Effect.forEach(peers, ({ enr }) => enr)
      const config = join(home, "config.yaml")
      const lines = [
        `beacon_api: ${beaconApi}`,
        `database_path: ${join(home, "dasmon.db")}`,
        "http_addr: 127.0.0.1:0",
        "gossip: { mode: participate, columns: all, custody_group_count: 8, reconstruct_after: 100ms }",
        "peers:",
        ...[...enrs, node.getMultiaddrs()[0]?.toString() ?? ""].map((peer) => `  - ${peer}`)
      ]
      yield* Effect.sync(() => writeFileSync(config, lines.join("\n")))
      const program = yield* start(["run", "--config", config])
      yield* program.printed(/open http/, "60 seconds")

      const unpublished = (slot: number) => {
        const columns = partial.get(slot) ?? []
        return Array.from({ length: numberOfColumns }, (_, column) => column).filter(
          (column) => !columns.includes(column)
        )
      }
      const of = (slot: number) => heard.filter((one) => one.slot === slot)
      /** The first block of which everything that nobody else published has come. */
      const slot = yield* eventually(
        () =>
          [...partial.keys()].find((slot) => {
            const columns = new Set(of(slot).map(({ column }) => column))
            return unpublished(slot).every((column) => columns.has(column))
          }) ?? false,
        "90 seconds",
        "100 millis"
      )
      // Whatever would come a second time comes while the next blocks do.
      yield* eventually(() => heard.some((one) => one.slot >= slot + 3))

      const block = (yield* chain.state).canonical.get(slot)
      if (block === undefined) return assert.fail("the block is not canonical")
      const pool = yield* makeBlobPool(seed, Math.max(...block.blobs) + 1)
      const recovered = of(slot).filter(({ column }) => !block.published.has(column))
      assert.deepStrictEqual(
        recovered.map(({ column }) => column).sort((a, b) => a - b),
        unpublished(slot)
      )
      for (const { column, data } of recovered) {
        assert.deepStrictEqual(data, encodeSidecar(block.fork, sidecarOf(pool, block, column)))
      }
    })
  )
})
