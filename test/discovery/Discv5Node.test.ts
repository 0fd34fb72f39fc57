import { createSocket } from "node:dgram"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import { epochOf, slotAt } from "../../src/domain/network/Chain.ts"
import { forkDigestAt } from "../../src/domain/network/ForkDigest.ts"
import type { NodeFound } from "../../src/discovery/Discovery.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { collected, discv5At, enrOf, keyOf, network, signedEnr } from "./Nodes.ts"

const limit = scaledMs("60 seconds")

const peerIdsOf = (found: ReadonlyArray<NodeFound>): ReadonlyArray<string> => [
  ...new Set(found.map(({ address }) => address.peerId))
]
const recordOf = (enr: string) => Effect.orDie(decodeNodeRecord(enr))

describe("discv5", () => {
  it.scopedLive(
    "finds by one boot node all that are on our network, and no others",
    () =>
      Effect.gen(function* () {
        const chain = yield* network()
        const other = { ...chain, genesisValidatorsRoot: new Uint8Array(32).fill(1) }
        // It says that it is on another network, and is asked all the same.
        const boot = yield* discv5At("boot", { chain: other })
        const bootEnrs = [yield* enrOf(boot)]
        const [one, two, three] = yield* Effect.forEach(["one", "two", "three"], (name) =>
          discv5At(name, { chain, bootEnrs })
        )
        const stranger = yield* discv5At("stranger", { chain: other, bootEnrs })
        assert(one !== undefined && two !== undefined && three !== undefined)
        const ids = yield* Effect.forEach([one, two, three], (node) =>
          Effect.map(Effect.flatMap(enrOf(node), recordOf), ({ peerId }) => peerId)
        )
        const monitor = yield* discv5At("monitor", { chain, bootEnrs })
        const found = yield* collected(monitor.found)
        yield* eventually(
          Effect.map(found, (all) => ids.every((id) => peerIdsOf(all).includes(id))),
          "40 seconds"
        )

        // Ours is heard of by others, with all that it says.
        const own = yield* Effect.flatMap(enrOf(monitor), recordOf)
        const theirs = yield* collected(one.found)
        const seen = yield* eventually(
          Effect.map(theirs, (all) => all.find(({ address }) => address.peerId === own.peerId) ?? false),
          "40 seconds"
        )
        assert.deepStrictEqual(seen.address, {
          peerId: own.peerId,
          multiaddrs: ["/ip4/127.0.0.1/tcp/4321"],
          enrCustodyGroupCount: Option.some(4)
        })
        assert.strictEqual(seen.source, "discv5")
        assert.strictEqual(seen.enr, own.enr)
        assert.strictEqual(seen.seq, own.seq)

        // Whoever listens later is told too, and the stranger and the boot node are in the table but are not told of.
        const again = yield* collected(monitor.found)
        yield* eventually(Effect.map(again, (all) => ids.every((id) => peerIdsOf(all).includes(id))))
        yield* eventually(
          Effect.map(stranger.known, (known) => known >= 4),
          "40 seconds"
        )
        assert.sameMembers([...peerIdsOf(yield* found)], [...ids])
      }),
    limit
  )

  it.scopedLive(
    "says the next fork digest from the slot on, with a higher number, and others learn of it",
    () =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        // Epochs of a second; in five of them the blob limit changes.
        const chain = yield* network({
          genesisTime: now / 1000 - 15,
          slotDurationMs: 125,
          slotsPerEpoch: 8,
          blobSchedule: [{ epoch: 20, maxBlobsPerBlock: 15 }]
        })
        const boot = yield* discv5At("boot", { chain })
        const bootEnrs = [yield* enrOf(boot)]
        const node = yield* discv5At("one", { chain, bootEnrs })
        const monitor = yield* discv5At("monitor", { chain, bootEnrs })
        const found = yield* collected(monitor.found)
        const before = yield* Effect.flatMap(enrOf(node), recordOf)
        assert.strictEqual(Option.getOrThrow(before.forkDigest), toHex(forkDigestAt(chain, 19)))
        assert.strictEqual(Option.getOrThrow(before.nextForkDigest), toHex(forkDigestAt(chain, 20)))

        const after = yield* eventually(
          Effect.gen(function* () {
            const record = yield* Effect.flatMap(enrOf(node), recordOf)
            return record.seq > before.seq ? record : false
          })
        )
        assert.isAtLeast(epochOf(chain, slotAt(chain, yield* Clock.currentTimeMillis)), 20)
        assert.strictEqual(Option.getOrThrow(after.forkDigest), toHex(forkDigestAt(chain, 20)))
        assert.strictEqual(Option.getOrThrow(after.nextForkDigest), "0x00000000")
        const isNewer = (node: NodeFound) => node.address.peerId === after.peerId && node.seq === after.seq
        yield* eventually(
          Effect.map(found, (all) => all.some(isNewer)),
          "40 seconds"
        )
        // Never an older one after it.
        const numbers = (yield* found).filter(({ address }) => address.peerId === after.peerId).map(({ seq }) => seq)
        assert.deepStrictEqual(
          numbers,
          [...numbers].sort((a = 0n, b = 0n) => Number(a - b))
        )
      }),
    limit
  )

  it.scopedLive(
    "is found at its new address after a restart, by those who knew it before",
    () =>
      Effect.gen(function* () {
        const chain = yield* network()
        const boot = yield* discv5At("boot", { chain })
        const bootEnrs = [yield* enrOf(boot)]
        const monitor = yield* discv5At("monitor", { chain, bootEnrs })
        const found = yield* collected(monitor.found)
        for (let start = 0; start < 2; start++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const enr = yield* enrOf(yield* discv5At("one", { chain, bootEnrs }))
              yield* eventually(
                Effect.map(found, (all) => all.some((node) => node.enr === enr)),
                "20 seconds"
              )
            })
          )
        }
      }),
    limit
  )

  it.scopedLive(
    "finds one node by its id",
    () =>
      Effect.gen(function* () {
        const chain = yield* network()
        const boot = yield* discv5At("boot", { chain })
        const bootEnrs = [yield* enrOf(boot)]
        const node = yield* discv5At("one", { chain, bootEnrs })
        const { nodeId, peerId } = yield* Effect.flatMap(enrOf(node), recordOf)
        const monitor = yield* discv5At("monitor", { chain, bootEnrs, walkInterval: "1 hour" })
        const found = yield* eventually(
          Effect.map(monitor.lookUp(nodeId), (found) => Option.isSome(found) && found.value),
          "40 seconds"
        )
        assert.strictEqual(found.address.peerId, peerId)
        assert.isTrue(Option.isNone(yield* monitor.lookUp(new Uint8Array(32).fill(7))))
      }),
    limit
  )

  it.scopedLive(
    "learns from others where it is, and says so once enough agree",
    () =>
      Effect.gen(function* () {
        const chain = yield* network()
        const boot = yield* discv5At("boot", { chain })
        const bootEnrs = [yield* enrOf(boot)]
        yield* Effect.forEach(["one", "two"], (name) => discv5At(name, { chain, bootEnrs }))
        const hidden = yield* discv5At("hidden", {
          chain,
          bootEnrs,
          listen: [{ host: "0.0.0.0", port: 0 }],
          listening: ["/ip4/127.0.0.1/tcp/4321", "/ip4/192.0.2.1/tcp/4321"],
          votesNeeded: 3
        })
        const record = Effect.flatMap(hidden.record.current, (state) => state)
        assert.deepStrictEqual((yield* record).advertised, [])
        const [socket] = hidden.sockets
        const known = yield* eventually(
          Effect.map(record, (state) => state.advertised.length > 0 && state),
          "40 seconds"
        )
        assert.deepStrictEqual(known.advertised, ["/ip4/127.0.0.1/tcp/4321", `/ip4/127.0.0.1/udp/${socket?.port}`])
        assert.deepStrictEqual(known.observed, [{ address: `/ip4/127.0.0.1/udp/${socket?.port}`, votes: 3 }])
        assert.deepStrictEqual((yield* recordOf(known.enr)).multiaddrs, ["/ip4/127.0.0.1/tcp/4321"])
      }),
    limit
  )

  it.scopedLive(
    "says what it is told to say, and nothing where it is told to say nothing",
    () =>
      Effect.gen(function* () {
        const chain = yield* network()
        const open = yield* discv5At("open", {
          chain,
          advertise: ["/ip4/203.0.113.7/tcp/9000", "/ip4/203.0.113.7/udp/9001/quic-v1", "/ip6/2001:db8::7/udp/9002"]
        })
        const state = yield* Effect.flatMap(open.record.current, (state) => state)
        assert.deepStrictEqual(state.advertised, [
          "/ip4/203.0.113.7/udp/9001/quic-v1",
          "/ip4/203.0.113.7/tcp/9000",
          "/ip6/2001:db8::7/udp/9002"
        ])
        const quiet = yield* discv5At("quiet", { chain, advertise: [] })
        assert.deepStrictEqual((yield* Effect.flatMap(enrOf(quiet), recordOf)).multiaddrs, [])
      }),
    limit
  )

  it.scopedLive(
    "goes on among nodes that are dead, or whose ENR has addresses that are none",
    () =>
      Effect.gen(function* () {
        const chain = yield* network()
        const now = yield* Clock.currentTimeMillis
        const bad = (name: string, entries: Record<string, Uint8Array>) => signedEnr(name, chain, now, { entries })
        const unsound = [
          bad("short port", { udp: Uint8Array.of(9) }),
          bad("long port", { udp: Uint8Array.of(1, 2, 3, 4) }),
          bad("long address", { ip: new Uint8Array(40), udp: Uint8Array.of(35, 40) }),
          bad("short address", { ip: new Uint8Array(3), udp: Uint8Array.of(35, 40) }),
          bad("broadcast", { ip: Uint8Array.of(255, 255, 255, 255), udp: Uint8Array.of(35, 40) }),
          bad("port 0", { udp: Uint8Array.of(0, 0) })
        ]
        const dead = Array.from({ length: 6 }, (_, index) => bad(`dead ${index}`, { udp: Uint8Array.of(0, 1 + index) }))
        const boot = yield* discv5At("boot", { chain })
        const one = yield* discv5At("one", { chain, bootEnrs: [yield* enrOf(boot)] })
        const monitor = yield* discv5At("monitor", {
          chain,
          bootEnrs: [...unsound, ...dead, "enr:-junk", yield* enrOf(boot)]
        })
        const { peerId } = yield* Effect.flatMap(enrOf(one), recordOf)
        const found = yield* collected(monitor.found)
        yield* eventually(
          Effect.map(found, (all) => peerIdsOf(all).includes(peerId)),
          "60 seconds"
        )
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => createSocket("udp4")),
          (socket) => Effect.sync(() => socket.close())
        )
        const [to] = monitor.sockets
        for (const junk of ["", "junk", "x".repeat(1280)]) socket.send(junk, to?.port ?? 0, "127.0.0.1")
        const later = yield* discv5At("later", { chain, bootEnrs: [yield* enrOf(monitor)] })
        yield* eventually(
          Effect.map(later.known, (known) => known > 1),
          "40 seconds"
        )
      }),
    scaledMs("120 seconds")
  )

  it.scopedLive("says which port is taken", () =>
    Effect.gen(function* () {
      const chain = yield* network()
      const first = yield* discv5At("first", { chain })
      const error = yield* Effect.flip(discv5At("second", { chain, listen: [...first.sockets] }))
      const port = first.sockets[0]?.port
      assert.strictEqual(
        error.message,
        `discv5: cannot listen on UDP port ${port} of 127.0.0.1: another program has it; choose another port in discovery.listen_addresses`
      )
    })
  )

  it.scopedLive("has the identity of its key", () =>
    Effect.gen(function* () {
      const chain = yield* network()
      const node = yield* discv5At("one", { chain })
      const { peerIdOfPublicKey } = yield* Effect.promise(() => import("../../src/domain/peer/NodeId.ts"))
      const { secp256k1 } = yield* Effect.promise(() => import("@noble/curves/secp256k1.js"))
      const { peerId } = yield* Effect.flatMap(enrOf(node), recordOf)
      assert.strictEqual(peerId, peerIdOfPublicKey(secp256k1.getPublicKey(keyOf("one"))))
    })
  )
})
