import { assert } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import kzg from "c-kzg"
import { Context, Duration, Effect, Fiber, Layer, Option } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { epochOf, epochStart } from "../../src/domain/network/Chain.ts"
import { forkDigestAt, forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { transportOf } from "../../src/domain/peer/Transport.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { blockAtOrBefore, checkpointAt } from "../../src/devnet/chain/ChainState.ts"
import { sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import type { ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { defaultPeers } from "../../src/devnet/PeersSpec.ts"
import {
  decodeMetadata,
  decodeStatus,
  decodeUint64,
  encodeStatus,
  metadataRequest,
  pingRequest,
  statusRequest
} from "../../src/wire/Handshake.ts"
import { metadataV1, metadataV2, statusV1 } from "../../src/wire/Protocol.ts"
import { blocksByRange, blocksByRoot, columnsByRange, columnsByRoot } from "../../src/wire/Requests.ts"
import { ask, clean, due, failedChecks, labels, layerStranger, Stranger } from "./Stranger.ts"
import { shared } from "../Shared.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"

/** Slots that lie on both sides of the step of the blob limit at epoch 3. */
const start = 80
const count = 32

/** What takes long and so begins at once: the Goodbye to who never greets, and the end of a connection to `flap`. */
class Begun extends Context.Tag("test/Begun")<
  Begun,
  { readonly ungreeted: Effect.Effect<number>; readonly flapped: Effect.Effect<void> }
>() {}

const layerBegun = Layer.scoped(
  Begun,
  Effect.gen(function* () {
    const { dial, gone, goodbyeOf, greet, peer } = yield* Stranger
    yield* dial(peer("honest", 1))
    const ungreeted = yield* Effect.forkScoped(goodbyeOf(peer("honest", 1)))
    yield* greet(peer("flap"))
    const flapped = yield* Effect.forkScoped(gone(peer("flap")))
    return { ungreeted: Fiber.join(ungreeted), flapped: Fiber.join(flapped) }
  })
)

/** What differs from an honest peer in gossip alone, or by what was published, is one here, and one that keeps all columns is enough. */
const plainly = (profile: ProfileName, place: number): ProfileName =>
  profile === "withheld-block" || profile.endsWith("-gossip") || (profile === "supernode" && place !== supernodeAt)
    ? "honest"
    : profile
const supernodeAt = 6

const layer = Layer.provideMerge(
  layerBegun,
  // The last one, and no other, is a `fresh` peer of a client that refuses what is below its earliest slot.
  layerStranger({
    peers: [...defaultPeers.map(plainly), "fresh"],
    slotDuration: Duration.millis(250),
    seed: 5
  })
)

shared("the devnet", layer, (it) => {
  it.live("has peers that are what their records say", () =>
    Effect.gen(function* () {
      const { devnet } = yield* Stranger
      assert.strictEqual(new Set(devnet.peers.map(({ peerId }) => peerId)).size, devnet.peers.length)
      for (const peer of devnet.peers) {
        const record = yield* Effect.flatMap(peer.enr, decodeNodeRecord)
        const { custodyGroupCount } = yield* peer.claim
        assert.strictEqual(record.peerId, peer.peerId)
        assert.deepStrictEqual(toHex(record.nodeId), toHex(peer.nodeId))
        assert.strictEqual(`${record.multiaddrs[0]}/p2p/${peer.peerId}`, peer.multiaddr)
        assert.deepStrictEqual(record.custodyGroupCount, Option.some(custodyGroupCount))
        const digest = toHex(forkDigestAt(devnet.parameters, 4))
        const isOurs = Option.contains(record.forkDigest, digest)
        assert.isTrue(isOurs, peer.profile)
      }
      const counts = yield* Effect.forEach(devnet.peers, ({ claim, profile }) =>
        Effect.map(claim, ({ custodyGroupCount }) => [profile, custodyGroupCount] as const)
      )
      for (const [profile, cgc] of counts) {
        if (profile === "supernode") assert.strictEqual(cgc, 128)
        else if (profile === "overclaim") assert.strictEqual(cgc, 32)
        else assert.isTrue(cgc >= 4 && cgc <= 8, `${profile} claims ${cgc}`)
      }
    })
  )

  it.live("is in part on both transports, and in part on one", () =>
    Effect.gen(function* () {
      const { devnet } = yield* Stranger
      const kinds = devnet.peers.map(({ multiaddrs }) => multiaddrs.map(transportOf).join(" and "))
      assert.deepStrictEqual([...new Set(kinds)].sort(), ["quic", "quic and tcp", "tcp"])
      for (const { enr, multiaddrs } of devnet.peers) {
        const record = yield* Effect.flatMap(enr, decodeNodeRecord)
        assert.deepStrictEqual(
          record.multiaddrs,
          multiaddrs.map((address) => address.replace(/\/p2p\/.*/, ""))
        )
      }
    })
  )

  it.live("greets in every version, over every muxer", () =>
    Effect.gen(function* () {
      const { devnet, greet, peer } = yield* Stranger
      const muxers = new Set<string | undefined>()
      for (const [nth, transport] of [
        [2, "quic"],
        [0, "tcp"],
        [4, "tcp"]
      ] as const) {
        const one = peer("honest", nth)
        const address = one.multiaddrs.find((multiaddr) => transportOf(multiaddr) === transport) ?? ""
        const honest = { ...one, multiaddr: address }
        const connection = yield* greet(honest)
        muxers.add(connection.multiplexer)
        const { custodyGroupCount } = yield* honest.claim
        const { chunks } = yield* ask(connection, metadataRequest)
        const metadata = yield* decodeMetadata(chunks[0]?.ssz ?? new Uint8Array())
        const subnets = { attnets: [], syncnets: [] }
        assert.deepStrictEqual(metadata, { sequenceNumber: 1, custodyGroupCount, subnets })
        for (const protocol of [metadataV1, metadataV2]) {
          const older = yield* ask(connection, { protocols: [{ protocol, body: new Uint8Array(0) }] })
          assert.strictEqual(older.chunks[0]?.ssz.length, protocol.response.max)
          assert.strictEqual(older.end, "end")
        }
        const pong = yield* ask(connection, pingRequest(7))
        assert.strictEqual(yield* decodeUint64(pong.chunks[0]?.ssz ?? new Uint8Array()), 1)

        const state = yield* devnet.chain.state
        const status = {
          forkDigest: toHex(forkDigestAt(devnet.parameters, epochOf(devnet.parameters, state.slot))),
          finalizedRoot: `0x${"00".repeat(32)}`,
          finalizedEpoch: 0,
          headRoot: state.head.root,
          headSlot: state.head.slot,
          earliestAvailableSlot: 0
        }
        const answer = yield* ask(connection, {
          protocols: [{ protocol: statusV1, body: encodeStatus(statusV1, status) }]
        })
        const theirs = yield* decodeStatus(answer.chunks[0]?.ssz ?? new Uint8Array())
        assert.strictEqual(theirs.forkDigest, status.forkDigest)
        const { parameters } = devnet
        const now = yield* devnet.chain.state
        assert.strictEqual(theirs.headRoot, now.byRoot.get(theirs.headRoot)?.root)
        assert.isAtLeast(theirs.headSlot, state.head.slot)
        const finalizedEpoch = epochOf(parameters, theirs.headSlot) - 2
        assert.strictEqual(theirs.finalizedEpoch, finalizedEpoch)
        assert.strictEqual(theirs.finalizedRoot, blockAtOrBefore(now, epochStart(parameters, finalizedEpoch)).root)
        assert.strictEqual(theirs.earliestAvailableSlot, undefined)
      }
      assert.deepStrictEqual([...muxers].map((muxer) => muxer?.split("/")[1] ?? muxer).sort(), [
        "mplex",
        "quic",
        "yamux"
      ])
    })
  )

  it.live("has cells that verify", () =>
    Effect.gen(function* () {
      const { devnet } = yield* Stranger
      const { pool, state } = devnet.chain
      const block = [...(yield* state).canonical.values()].find((block) => block.blobs.length === pool.length)
      assert.isDefined(block)
      const sidecars = [0, 63, 64, 127].map((column) => sidecarOf(pool, block, column))
      const batch = [
        sidecars.flatMap((sidecar) => sidecar.kzgCommitments),
        sidecars.flatMap((sidecar) => sidecar.column.map(() => sidecar.index)),
        sidecars.flatMap((sidecar) => sidecar.column),
        sidecars.flatMap((sidecar) => sidecar.kzgProofs)
      ] as const
      assert.lengthOf(batch[2], 4 * pool.length)
      assert.isTrue(kzg.verifyCellKzgProofBatch(...batch))
    })
  )

  it.live("serves columns by range, over every muxer: all that is due, in order, and true", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer, range } = yield* Stranger
      const contexts = new Set(
        (yield* blocks(start, count)).map(({ slot }) => forkDigestOfSlot(devnet.parameters, slot))
      )
      assert.strictEqual(contexts.size, 2)
      const cases = [
        [peer("honest", 0), start, count],
        [peer("honest", 4), start, count],
        [peer("honest", 5), start, count],
        [peer("supernode"), 94, 4]
      ] as const
      for (const [honest, start, count] of cases) {
        const expected = yield* blocks(start, count)
        const heard = yield* range(honest, start, count)
        assert.strictEqual(heard.end, "end")
        assert.deepStrictEqual(labels(heard), due(expected, yield* columnsOf(honest)))
        for (const [index, { context, ssz: bytes }] of heard.chunks.entries()) {
          const label = ssz.fulu.DataColumnSidecar.deserialize(bytes).signedBlockHeader.message.slot
          assert.strictEqual(context, forkDigestOfSlot(devnet.parameters, label))
          const block = expected.find(({ slot }) => slot === label)
          assert.isDefined(block)
          if (index % 61 === 0) assert.deepStrictEqual(failedChecks(bytes, block), [])
        }
      }
    })
  )

  it.live("keeps to the rules of ranges", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, greet, peer } = yield* Stranger
      const honest = peer("honest", 0)
      const connection = yield* greet(honest)
      const columns = yield* columnsOf(honest)
      const others = Array.from({ length: 128 }, (_, column) => column)
      const { slot } = yield* devnet.chain.state
      const get = (startSlot: number, count: number, wanted: ReadonlyArray<number> = columns) =>
        ask(connection, columnsByRange({ startSlot, count, columns: wanted }))

      // No columns before Fulu, at most 128 slots, nothing that is not in custody, nothing yet to come.
      assert.deepStrictEqual(labels(yield* get(0, 40)), due(yield* blocks(32, 8), columns))
      assert.deepStrictEqual(
        labels(yield* get(0, 1000, columns.slice(0, 1))),
        due(yield* blocks(32, 96), columns.slice(0, 1))
      )
      assert.deepStrictEqual(labels(yield* get(90, 6, others)), due(yield* blocks(90, 6), columns))
      assert.deepStrictEqual(
        yield* get(
          90,
          6,
          others.filter((column) => !columns.includes(column))
        ),
        clean
      )
      assert.deepStrictEqual(yield* get(slot + 1000, 5), clean)
      assert.deepStrictEqual(yield* get(90, 6, []), clean)
      assert.match((yield* get(90, 0)).end, /^PeerRefused code 1/)
      assert.match((yield* get(90, 6, [128])).end, /^PeerRefused code 1/)
    })
  )

  it.live("serves columns by root, and leaves out what it does not know", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, greet, peer } = yield* Stranger
      const honest = peer("honest", 4)
      const columns = yield* columnsOf(honest)
      const [first, second] = yield* blocks(start, count)
      assert.isDefined(first)
      assert.isDefined(second)
      const heard = yield* ask(
        yield* greet(honest),
        columnsByRoot([
          { blockRoot: second.root, columns },
          { blockRoot: `0x${"ab".repeat(32)}`, columns },
          { blockRoot: first.root, columns: columns.slice(1, 2) }
        ])
      )
      assert.deepStrictEqual(labels(heard), [...due([second], columns), ...due([first], columns.slice(1, 2))])
      assert.strictEqual(heard.end, "end")
    })
  )

  it.live("serves blocks by range and by root", () =>
    Effect.gen(function* () {
      const { devnet, greet, peer } = yield* Stranger
      const connection = yield* greet(peer("honest", 5))
      const { canonical, genesis, head } = yield* devnet.chain.state
      const heard = yield* ask(connection, blocksByRange({ startSlot: 20, count: 30 }))
      const expected = Array.from({ length: 30 }, (_, index) => canonical.get(20 + index) ?? []).flat()
      assert.deepStrictEqual(
        heard.chunks.map(({ context, ssz }) => [context, toHex(ssz)]),
        expected.map((block) => [forkDigestOfSlot(devnet.parameters, block.slot), toHex(block.ssz)])
      )
      const byRoot = yield* ask(connection, blocksByRoot([head.root, `0x${"ab".repeat(32)}`, genesis.root]))
      assert.deepStrictEqual(
        byRoot.chunks.map(({ ssz }) => toHex(ssz)),
        [toHex(head.ssz), toHex(genesis.ssz)]
      )
      assert.match((yield* ask(connection, blocksByRange({ startSlot: 20, count: 0 }))).end, /^PeerRefused code 1/)
    })
  )

  it.live("sends away who is from another network", () =>
    Effect.gen(function* () {
      const { goodbyeOf, greet, peer } = yield* Stranger
      yield* greet(peer("honest", 2), "0x01020304")
      assert.strictEqual(yield* goodbyeOf(peer("honest", 2)), 2)
    })
  )

  it.live("sends away who calls final what is not on the chain, and nobody for an older checkpoint that is", () =>
    Effect.gen(function* () {
      const { devnet, dial, gone, goodbyeOf, peer } = yield* Stranger
      yield* gone(peer("honest", 2))
      const state = yield* devnet.chain.state
      const { root: finalizedRoot } = checkpointAt(devnet.parameters, state, 1)
      const status = {
        forkDigest: toHex(forkDigestAt(devnet.parameters, epochOf(devnet.parameters, state.slot))),
        finalizedRoot,
        finalizedEpoch: 1,
        headRoot: state.head.root,
        headSlot: state.head.slot,
        earliestAvailableSlot: state.head.slot
      }
      const connection = yield* dial(peer("honest", 2))
      assert.lengthOf((yield* ask(connection, statusRequest(status))).chunks, 1)
      assert.lengthOf((yield* ask(connection, pingRequest(1))).chunks, 1)
      yield* ask(connection, statusRequest({ ...status, finalizedRoot: state.head.root }))
      assert.strictEqual(yield* goodbyeOf(peer("honest", 2)), 2)
    })
  )

  it.live("tells of a reorg in all places, and serves the orphans by root only", () =>
    Effect.gen(function* () {
      const { columnsOf, devnet, greet, peer } = yield* Stranger
      const before = yield* devnet.chain.state
      const response = yield* Effect.promise(() =>
        fetch(`${devnet.beaconApi}/devnet/reorg?depth=8`, { method: "POST" })
      )
      assert.strictEqual(response.status, 200)
      const after = yield* devnet.chain.state
      const orphans = [...before.canonical.values()].filter(
        (block) => after.canonical.get(block.slot)?.root !== block.root
      )
      const orphan = orphans.find((block) => block.blobs.length > 0)
      assert.isDefined(orphan)
      const honest = peer("honest", 0)
      const connection = yield* greet(honest)
      const columns = yield* columnsOf(honest)
      const byRoot = yield* ask(connection, columnsByRoot([{ blockRoot: orphan.root, columns }]))
      assert.deepStrictEqual(labels(byRoot), due([orphan], columns))
      for (const { ssz } of byRoot.chunks) assert.deepStrictEqual(failedChecks(ssz, orphan), [])

      const first = Math.min(...orphans.map(({ slot }) => slot))
      const byRange = yield* ask(connection, columnsByRange({ startSlot: first, count: 8, columns }))
      for (const { ssz: bytes } of byRange.chunks) {
        const { slot } = ssz.fulu.DataColumnSidecar.deserialize(bytes).signedBlockHeader.message
        const block = after.canonical.get(slot)
        if (block !== undefined) assert.notInclude(failedChecks(bytes, block), "header")
      }
    })
  )

  /** Everything that is asked for comes, but fails exactly these checks. */
  it.each([
    ["corrupt-cell", ["kzg"]],
    ["wrong-commitments", ["commitments", "inclusion"]],
    ["wrong-block", ["header"]],
    ["bad-inclusion", ["inclusion"]]
  ] as const)("%s: what it serves fails %j", ([profile, checks]) =>
    Effect.gen(function* () {
      const { blocks, columnsOf, greet, peer, range } = yield* Stranger
      const liar = peer(profile)
      const columns = yield* columnsOf(liar)
      const expected = yield* blocks(start, 4)
      const byRange = yield* range(liar, start, 4)
      assert.deepStrictEqual(labels(byRange), due(expected, columns))
      const byRoot = yield* ask(
        yield* greet(liar),
        columnsByRoot(expected.map((block) => ({ blockRoot: block.root, columns })))
      )
      assert.deepStrictEqual(byRoot, byRange)
      for (const [index, { ssz }] of byRange.chunks.entries()) {
        const block = expected[Math.floor(index / columns.length)]
        assert.isDefined(block)
        assert.deepStrictEqual(failedChecks(ssz, block), checks)
      }
    })
  )

  /** What it has is true and in order, but this part of it is not there, by range and by root. */
  it.each([
    ["withhold", (all: ReadonlyArray<number>, got: number) => assert.strictEqual(got, Math.floor(all.length / 2))],
    ["overclaim", (_: ReadonlyArray<number>, got: number) => assert.strictEqual(got, 4)]
  ] as const)("%s: lacks columns, always the same", ([profile, check]) =>
    Effect.gen(function* () {
      const { blocks, columnsOf, greet, peer, range } = yield* Stranger
      const liar = peer(profile)
      const columns = yield* columnsOf(liar)
      const expected = yield* blocks(start, count)
      const heard = yield* range(liar, start, count)
      const kept = columns.filter((column) => labels(heard).some((label) => label.endsWith(`:${column}`)))
      check(columns, kept.length)
      assert.deepStrictEqual(labels(heard), due(expected, kept))
      assert.strictEqual(heard.end, "end")
      const [block] = expected
      assert.isDefined(block)
      const byRoot = yield* ask(yield* greet(liar), columnsByRoot([{ blockRoot: block.root, columns }]))
      assert.deepStrictEqual(labels(byRoot), due([block], kept))
    })
  )

  it.live("prune: has the newer slots only, and claims the older", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer, range } = yield* Stranger
      const liar = peer("prune")
      const { slot } = yield* devnet.chain.state
      const columns = yield* columnsOf(liar)
      assert.strictEqual((yield* liar.claim).earliestAvailableSlot, 0)
      assert.deepStrictEqual(yield* range(liar, 40, 20), clean)
      assert.deepStrictEqual(labels(yield* range(liar, slot - 20, 10)), due(yield* blocks(slot - 20, 10), columns))
    })
  )

  it.live("unavailable: answers code 3", () =>
    Effect.gen(function* () {
      const { peer, range } = yield* Stranger
      const heard = yield* range(peer("unavailable"), start, count)
      assert.deepStrictEqual(heard.chunks, [])
      assert.match(heard.end, /^ColumnsUnavailable code 3/)
    })
  )

  it.live("silent: answers greetings and nothing else", () =>
    Effect.gen(function* () {
      const { peer, range } = yield* Stranger
      const heard = yield* range(peer("silent"), start, count, { firstByte: Duration.millis(1500) })
      assert.deepStrictEqual(heard, { chunks: [], end: "ProbeTimeout firstChunk" })
    })
  )

  it.each([
    ["stall", /^ProbeTimeout body/],
    ["reset", /^PeerDisconnected/]
  ] as const)("%s: sends the first half, and no end", ([profile, end]) =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const all = due(yield* blocks(start, 6), yield* columnsOf(peer(profile)))
      const heard = yield* range(peer(profile), start, 6, { chunk: Duration.millis(1500) })
      assert.match(heard.end, end)
      // A reset may overtake what was sent before it.
      assert.isAtMost(heard.chunks.length, Math.floor(all.length / 2))
      assert.deepStrictEqual(labels(heard), all.slice(0, heard.chunks.length))
    })
  )

  it.live("throttle: refuses in three ways, and again after that", () =>
    Effect.gen(function* () {
      const { gone, goodbyeOf, peer, range } = yield* Stranger
      const throttle = peer("throttle")
      for (let round = 0; round < 2; round++) {
        assert.strictEqual((yield* range(throttle, start, 4)).end, "PeerRefused code 1: rate limited")
        assert.match((yield* range(throttle, start, 4)).end, /^PeerRefused code 139/)
        assert.match((yield* range(throttle, start, 4)).end, /^PeerDisconnected/)
        assert.include([129, 250], yield* goodbyeOf(throttle))
        yield* gone(throttle)
      }
    })
  )

  it.live("wrong-network: shows another digest, and says goodbye", () =>
    Effect.gen(function* () {
      const { gone, goodbyeOf, greet, peer } = yield* Stranger
      const stranger = peer("wrong-network")
      yield* greet(stranger)
      assert.strictEqual(yield* goodbyeOf(stranger), 2)
      yield* gone(stranger)
    })
  )

  it.each([
    ["garbage", /^MalformedResponse/],
    ["oversize", /^MalformedResponse length_out_of_bounds/]
  ] as const)("%s: cannot be read", ([profile, end]) =>
    Effect.gen(function* () {
      const { peer, range } = yield* Stranger
      const heard = yield* range(peer(profile), start, count)
      assert.deepStrictEqual(heard.chunks, [])
      assert.match(heard.end, end)
    })
  )

  it.live("duplicate and unordered: all that is due, twice or backwards", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const expected = yield* blocks(start, 8)
      const twice = due(expected, yield* columnsOf(peer("duplicate"))).flatMap((label) => [label, label])
      assert.deepStrictEqual(labels(yield* range(peer("duplicate"), start, 8)), twice)
      const backwards = [...due(expected, yield* columnsOf(peer("unordered")))].reverse()
      assert.deepStrictEqual(labels(yield* range(peer("unordered"), start, 8)), backwards)
    })
  )

  it.live("unrequested: all that is due, and true sidecars more", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer, range } = yield* Stranger
      const expected = due(yield* blocks(start, 8), yield* columnsOf(peer("unrequested")))
      const heard = yield* range(peer("unrequested"), start, 8)
      const got = labels(heard)
      assert.deepStrictEqual(
        got.filter((label) => expected.includes(label)),
        expected
      )
      const extra = got.filter((label) => !expected.includes(label))
      assert.isTrue(
        extra.some((label) => Number(label.split(":")[0]) < start + 8),
        "another column"
      )
      assert.isTrue(
        extra.some((label) => Number(label.split(":")[0]) >= start + 8),
        "another slot"
      )
      const { canonical } = yield* devnet.chain.state
      for (const [index, { ssz }] of heard.chunks.entries()) {
        const block = canonical.get(Number(got[index]?.split(":")[0]))
        assert.isDefined(block)
        assert.deepStrictEqual(failedChecks(ssz, block), [])
      }
    })
  )

  it.live("truncate: the first block that has columns, whole", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const [first] = yield* blocks(start, count)
      assert.isDefined(first)
      const heard = yield* range(peer("truncate"), start, count)
      assert.deepStrictEqual(labels(heard), due([first], yield* columnsOf(peer("truncate"))))
      assert.strictEqual(heard.end, "end")
    })
  )

  it.each([
    [0, /^end$/],
    [1, /^ColumnsUnavailable code 3/]
  ] as const)("fresh: comes to keep more, from then on (%i: %s below)", ([nth, end]) =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, greet, peer, range } = yield* Stranger
      const fresh = peer("fresh", nth)
      const { earliestAvailableSlot } = yield* eventually(
        Effect.map(fresh.claim, (claim) => claim.custodyGroupCount === 8 && claim)
      )
      const metadata = yield* ask(yield* greet(fresh), metadataRequest)
      assert.deepStrictEqual(yield* decodeMetadata(metadata.chunks[0]?.ssz ?? new Uint8Array()), {
        sequenceNumber: 2,
        custodyGroupCount: 8,
        subnets: { attnets: [], syncnets: [] }
      })
      const record = yield* Effect.flatMap(fresh.enr, decodeNodeRecord)
      assert.deepStrictEqual(record.custodyGroupCount, Option.some(8))
      assert.isAbove(earliestAvailableSlot, 128)
      const below = yield* range(fresh, earliestAvailableSlot - 10, 10)
      assert.deepStrictEqual(below.chunks, [])
      assert.match(below.end, end)
      yield* eventually(Effect.map(devnet.chain.state, ({ slot }) => slot >= earliestAvailableSlot + 4))
      const heard = yield* range(fresh, earliestAvailableSlot, 4)
      assert.deepStrictEqual(labels(heard), due(yield* blocks(earliestAvailableSlot, 4), yield* columnsOf(fresh)))
    })
  )

  it.live("is the same again with the same seed, and stops at once", () =>
    Effect.gen(function* () {
      const { devnet } = yield* Stranger
      const stopping = yield* Effect.scoped(
        Effect.gen(function* () {
          const twin = yield* makeDevnet({ peers: ["honest", "withhold"], seed: 5, historyEpochs: 3 })
          assert.strictEqual(twin.peers[0]?.peerId, devnet.peers[0]?.peerId)
          assert.deepStrictEqual(twin.parameters.genesisValidatorsRoot, devnet.parameters.genesisValidatorsRoot)
          const state = yield* twin.chain.state
          const theirs = yield* devnet.chain.state
          assert.strictEqual(state.head.root, theirs.canonical.get(state.head.slot)?.root)
          return Date.now()
        })
      )
      assert.isBelow(Date.now() - stopping, scaledMs("3 seconds"))
    })
  )

  it.live("drops who does not greet within ten seconds", () =>
    Effect.gen(function* () {
      const { ungreeted } = yield* Begun
      assert.strictEqual(yield* ungreeted, 3)
    })
  )

  it.live("flap: drops its connections now and then, and can be dialled again", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      yield* Effect.flatMap(Begun, ({ flapped }) => flapped)
      const heard = yield* range(peer("flap"), start, 8)
      assert.deepStrictEqual(labels(heard), due(yield* blocks(start, 8), yield* columnsOf(peer("flap"))))
    })
  )
})
