import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import type { DevPeer } from "../../src/devnet/peer/DevPeer.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import { forkDigestAt } from "../../src/domain/network/ForkDigest.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { collected, discv5At } from "../discovery/Nodes.ts"

const limit = scaledMs("60 seconds")
const recordOf = ({ enr }: DevPeer) => Effect.orDie(Effect.flatMap(enr, decodeNodeRecord))

describe("the discv5 of a devnet", () => {
  it.scopedLive(
    "has a stranger find every peer by the boot node, with all that its ENR says",
    () =>
      Effect.gen(function* () {
        const devnet = yield* makeDevnet({
          peers: Array.from({ length: 40 }, (_, index) => (index % 10 === 0 ? "supernode" : "honest")),
          slotDuration: Duration.seconds(2),
          seed: 31
        })
        const stranger = yield* discv5At("stranger", {
          chain: devnet.parameters,
          bootEnrs: [yield* devnet.bootEnr]
        })
        const found = yield* collected(stranger.found)
        const seen = yield* eventually(
          Effect.map(found, (all) => {
            const byId = new Map(all.map((node) => [node.address.peerId, node]))
            return byId.size === devnet.peers.length ? byId : false
          }),
          "30 seconds"
        )
        for (const peer of devnet.peers) {
          const record = yield* recordOf(peer)
          assert.strictEqual(seen.get(peer.peerId)?.enr, record.enr)
          assert.deepStrictEqual(seen.get(peer.peerId)?.address.multiaddrs, record.multiaddrs)
        }
      }),
    limit
  )

  it.scopedLive(
    "tells what becomes of an ENR at a step of the network",
    () =>
      Effect.gen(function* () {
        const historyEpochs = 4
        const devnet = yield* makeDevnet({
          peers: ["honest", "honest", "supernode"],
          slotDuration: Duration.millis(250),
          seed: 32,
          historyEpochs,
          nextBlobStep: 1
        })
        const { parameters } = devnet
        const stranger = yield* discv5At("stranger", { chain: parameters, bootEnrs: [yield* devnet.bootEnr] })
        const found = yield* collected(stranger.found)
        const digestOf = (epoch: number) => toHex(forkDigestAt(parameters, epoch))
        const first = yield* Effect.forEach(devnet.peers, recordOf)
        for (const { forkDigest, nextForkDigest } of first) {
          assert.deepStrictEqual(forkDigest, Option.some(digestOf(historyEpochs)))
          assert.deepStrictEqual(nextForkDigest, Option.some(digestOf(historyEpochs + 1)))
        }
        const newest = Effect.map(found, (all) => new Map(all.map((node) => [node.address.peerId, node])))
        yield* eventually(Effect.map(newest, ({ size }) => size === devnet.peers.length))
        yield* eventually(
          Effect.gen(function* () {
            const seen = yield* newest
            for (const peer of devnet.peers) {
              const before = first.find(({ peerId }) => peerId === peer.peerId)
              const record = yield* Effect.orDie(decodeNodeRecord(seen.get(peer.peerId)?.enr ?? ""))
              assert.deepStrictEqual(record.forkDigest, Option.some(digestOf(historyEpochs + 1)))
              assert.deepStrictEqual(record.nextForkDigest, Option.some("0x00000000"))
              assert.isAbove(Number(record.seq), Number(before?.seq))
            }
          }),
          "30 seconds"
        )
      }),
    limit
  )
})
