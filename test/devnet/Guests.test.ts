import type { Stream as Libp2pStream } from "@libp2p/interface"
import { assert } from "@effect/vitest"
import { Duration, Effect, Layer, TestClock, TestContext } from "effect"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import type { DevPeer } from "../../src/devnet/peer/DevPeer.ts"
import type { PeersSpec } from "../../src/devnet/PeersSpec.ts"
import { pingRequest, statusRequest } from "../../src/wire/Handshake.ts"
import { metadataV3, ping, statusV1, statusV2 } from "../../src/wire/Protocol.ts"
import { columnsByRange, columnsByRoot } from "../../src/wire/Requests.ts"
import { serve, serveNothing } from "../../src/wire/Server.ts"
import { eventually } from "../Eventually.ts"
import { shared } from "../Shared.ts"
import { behave, goodStatus, type Guest, makeGuest, type Manners } from "./Guest.ts"
import { ask, due, labels, layerStranger, Stranger } from "./Stranger.ts"

const peers: PeersSpec = ["gossip-ban", "asks-much", "strikes", "unwelcoming"]
const slotDuration = Duration.seconds(1)

/** Time stands still but for this. */
const pass = (time: Duration.DurationInput) => TestClock.adjust(time)

const layer = layerStranger({ peers, slotDuration, seed: 13 }).pipe(
  Layer.provide(Layer.effectDiscard(TestClock.setTime(1_800_000_000_000))),
  Layer.provideMerge(TestContext.TestContext)
)

const zeroRoot = `0x${"00".repeat(32)}`

const counted = ({ account }: DevPeer, what: string) => Effect.map(account, ({ counts }) => counts[what] ?? 0)

/** The Goodbye to whoever is banned comes 150 ms after the visit. */
const untilThrownOutAgain = (peer: DevPeer) =>
  Effect.zipRight(
    eventually(Effect.map(counted(peer, "visits of the banned"), (count) => count > 0)),
    pass("150 millis")
  )

const byRangeIds = ["beacon_blocks_by_range/2", "blob_sidecars_by_range/1", "data_column_sidecars_by_range/1"].map(
  (name) => `/eth2/beacon_chain/req/${name}/ssz_snappy`
)
/** What is asked for, at its most, before time goes on. */
const burst = 135

shared("peers that are hard on their guests", layer, (it) => {
  it.live("gossip-ban: bans for good who does not speak gossipsub, and says so at every visit", () =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("gossip-ban")
      const guest = yield* makeGuest
      yield* guest.dial(peer)
      assert.strictEqual(yield* guest.goodbye, 0)
      yield* guest.thrownOut
      yield* guest.dial(peer)
      yield* untilThrownOutAgain(peer)
      assert.strictEqual(yield* guest.goodbye, 0)
      yield* guest.thrownOut
      assert.deepStrictEqual(yield* guest.suffered(peer), ["ban", "goodbye 0", "goodbye 0"])
    })
  )

  it.each(["/meshsub/1.2.0", "/meshsub/1.1.0"])("gossip-ban: keeps who speaks %s, and its columns are sound", (id) =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer: named } = yield* Stranger
      const peer = named("gossip-ban")
      const guest = yield* makeGuest
      const streams: Array<Libp2pStream> = []
      yield* Effect.promise(() => guest.node.handle(id, (stream) => void streams.push(stream)))
      const connection = yield* guest.dial(peer)
      // One of its own, which it reads, and one of its gossipsub, on which it only writes.
      yield* eventually(() => streams.length === 2)
      // More than a stream that nobody reads may hold.
      const read = yield* Effect.promise(() =>
        Promise.any(
          streams.map(async (stream) => {
            for (let sent = 0; sent < 80; sent++) if (!stream.send(new Uint8Array(65_536))) await stream.onDrain()
            return stream
          })
        )
      )
      const columns = yield* columnsOf(peer)
      const heard = yield* ask(connection, columnsByRange({ startSlot: 100, count: 4, columns }))
      assert.deepStrictEqual(labels(heard), due(yield* blocks(100, 4), columns))
      assert.strictEqual(read.status, "open")
      assert.strictEqual(yield* counted(peer, id), 1)
      assert.deepStrictEqual(yield* guest.suffered(peer), [])
    })
  )

  it.live("asks-much: asks for blocks, blobs and columns 135 times a second, every empty answer again", () =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("asks-much")
      const guest = yield* makeGuest
      for (const id of byRangeIds) yield* serveNothing(guest.node, id)
      const asked = Effect.map(peer.account, ({ counts }) =>
        ["blocks", "blobs", "columns"].map((name) => counts[`asked for ${name}`] ?? 0)
      )
      const total = Effect.map(asked, (counts) => counts.reduce((sum, count) => sum + count, 0))
      yield* guest.dial(peer)
      yield* eventually(
        Effect.map(total, (count) => {
          assert.isAtLeast(count, burst)
        })
      )
      assert.strictEqual(yield* total, burst)
      for (const count of yield* asked) assert.isAtLeast(count, 20)
      yield* pass("1 second")
      yield* eventually(Effect.map(total, (count) => count === 2 * burst))
      assert.deepStrictEqual(yield* guest.suffered(peer), [])
    })
  )

  it.each([
    ["an error", (guest: Guest) => serveErrors(guest)],
    ["a reset", (guest: Guest) => serveResets(guest)],
    ["nothing that it speaks", () => Effect.void]
  ] as const)("asks-much: throws out for good who answers with $0", ([, answer]) =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("asks-much")
      const guest = yield* makeGuest
      yield* answer(guest)
      yield* guest.dial(peer)
      yield* eventually(Effect.map(guest.suffered(peer), ({ length }) => length > 0))
      assert.strictEqual(yield* guest.goodbye, 3)
      assert.deepStrictEqual(yield* guest.suffered(peer), ["ban", "goodbye 3"])
    })
  )

  it.live("strikes: charges columns by root and by range to one bucket, and slots with them", () =>
    Effect.gen(function* () {
      const { blocks, devnet, peer: named } = yield* Stranger
      const peer = named("strikes")
      const guest = yield* makeGuest
      const connection = yield* guest.dial(peer)
      const { custodyGroupCount } = yield* peer.claim
      const columns = custodyColumns(peer.nodeId, custodyGroupCount)
      const unknown = (count: number) =>
        columnsByRoot([{ blockRoot: `0x${"ab".repeat(32)}`, columns: Array.from({ length: count }, (_, c) => c) }])
      const limited = "PeerRefused code 1: rate limited"
      yield* ask(connection, statusRequest(yield* goodStatus(devnet)))
      const end = (message: Parameters<typeof ask>[1]) => Effect.map(ask(connection, message), ({ end }) => end)

      assert.strictEqual(yield* end(unknown(100)), "end")
      assert.strictEqual(yield* end(unknown(29)), limited)
      assert.strictEqual(yield* end(unknown(28)), "end")
      assert.strictEqual(yield* end(columnsByRange({ startSlot: 100, count: 1, columns })), limited)
      // What is not there yet costs nothing but its place.
      yield* pass("30 seconds")
      const { slot } = yield* devnet.chain.state
      const expected = yield* blocks(100, 8)
      const heard = yield* ask(connection, columnsByRange({ startSlot: 100, count: 8, columns }))
      assert.deepStrictEqual(labels(heard), due(expected, columns))
      const left = 64 - 8 - expected.length * columns.length
      assert.isAbove(left, 0)
      assert.strictEqual(yield* end(columnsByRange({ startSlot: slot + 100, count: 128, columns })), "end")
      assert.strictEqual(yield* end(unknown(left + 1)), limited)
      assert.strictEqual(yield* end(unknown(left)), "end")
      assert.deepStrictEqual(yield* guest.suffered(peer), ["strike", "strike", "strike"])
      // With the connection the limits are new; the strikes stay.
      yield* Effect.promise(() => connection.close())
      const again = yield* guest.dial(peer)
      assert.strictEqual((yield* ask(again, unknown(128))).end, "end")
      for (const _ of [4, 5]) assert.strictEqual((yield* ask(again, unknown(1))).end, limited)
      const banned = ["strike", "strike", "strike", "strike", "strike", "ban"]
      assert.deepStrictEqual(yield* guest.suffered(peer), banned)
      yield* Effect.forkScoped(ask(again, pingRequest(1)))
      assert.strictEqual(yield* guest.goodbye, 251)
      yield* guest.thrownOut
      yield* guest.dial(peer)
      yield* eventually(
        Effect.zipRight(
          pass("150 millis"),
          Effect.map(guest.suffered(peer), ({ length }) => length > 7)
        )
      )
      assert.strictEqual(yield* guest.goodbye, 3)
      assert.deepStrictEqual(yield* guest.suffered(peer), [...banned, "goodbye 251", "goodbye 3"])
    })
  )

  it.live("strikes: five pings at once and one a second, and nothing that cannot be decoded", () =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("strikes")
      const guest = yield* makeGuest
      const connection = yield* guest.dial(peer)
      const pinged = Effect.map(ask(connection, pingRequest(1)), ({ end }) => end)
      for (const _ of [1, 2, 3, 4, 5]) assert.strictEqual(yield* pinged, "end")
      assert.strictEqual(yield* pinged, "PeerRefused code 1: rate limited")
      yield* pass("1 second")
      assert.strictEqual(yield* pinged, "end")
      const junk = { protocols: [{ protocol: ping, body: new Uint8Array(9) }] }
      assert.match((yield* ask(connection, junk)).end, /^PeerRefused code 1/)
      assert.deepStrictEqual(yield* guest.suffered(peer), ["strike", "strike"])
    })
  )

  it.live("unwelcoming: keeps whom it can use", () =>
    Effect.gen(function* () {
      const { devnet, peer: named } = yield* Stranger
      const peer = named("unwelcoming")
      const guest = yield* makeGuest
      yield* behave(guest, devnet)
      const before = yield* counted(peer, "examined")
      const connection = yield* guest.dial(peer)
      yield* ask(connection, statusRequest(yield* goodStatus(devnet)))
      yield* eventually(Effect.map(counted(peer, "examined"), (count) => count === before + 1))
      yield* pass("20 seconds")
      yield* eventually(Effect.map(counted(peer, "examined"), (count) => count === before + 2))
      assert.strictEqual(connection.status, "open")
      assert.deepStrictEqual(yield* guest.suffered(peer), [])
    })
  )

  it.each<readonly [string, Manners, number]>([
    ["has the zero root finalized", { status: { finalizedRoot: zeroRoot, finalizedEpoch: 0 } }, 2],
    ["has another chain", { status: { finalizedRoot: `0x${"11".repeat(32)}` } }, 2],
    ["has a head in the future", { status: { headSlot: 1_000_000 } }, 2],
    ["has finalized what is to come", { status: { finalizedEpoch: 1_000 } }, 2],
    ["is of another network", { status: { forkDigest: "0x01020304" } }, 2],
    ["has a Status without an earliest slot", { protocols: [statusV1, ping, metadataV3] }, 2],
    ["keeps too little", { custodyGroupCount: 3 }, 3],
    ["keeps too much", { custodyGroupCount: 129 }, 3],
    ["does not speak Status", { protocols: [ping, metadataV3] }, 0],
    ["does not speak Ping", { protocols: [statusV2, metadataV3] }, 0],
    ["does not speak MetaData", { protocols: [statusV2, ping] }, 0]
  ])("unwelcoming: throws out for good who %s", ([, manners, code]) =>
    Effect.gen(function* () {
      const { devnet, peer: named } = yield* Stranger
      const peer = named("unwelcoming")
      const guest = yield* makeGuest
      yield* behave(guest, devnet, manners)
      yield* guest.dial(peer)
      assert.strictEqual(yield* guest.goodbye, code)
      yield* guest.thrownOut
      assert.deepStrictEqual((yield* guest.suffered(peer)).slice(0, 2), ["ban", `goodbye ${code}`])
    })
  )

  it.live("unwelcoming: throws out who sends such a Status, too", () =>
    Effect.gen(function* () {
      const { devnet, peer: named } = yield* Stranger
      const peer = named("unwelcoming")
      const guest = yield* makeGuest
      yield* behave(guest, devnet)
      const connection = yield* guest.dial(peer)
      const bad = yield* goodStatus(devnet, { finalizedRoot: zeroRoot, finalizedEpoch: 0 })
      yield* Effect.forkScoped(ask(connection, statusRequest(bad)))
      assert.strictEqual(yield* guest.goodbye, 2)
      assert.deepStrictEqual(yield* guest.suffered(peer), ["ban", "goodbye 2"])
    })
  )

  it.live("unwelcoming: has room for four, and tells the fifth that there are too many", () =>
    Effect.gen(function* () {
      const { devnet, peer: named } = yield* Stranger
      const peer = named("unwelcoming")
      const examined = counted(peer, "examined")
      for (let guests = 1; guests <= 4; guests++) {
        const before = yield* examined
        const guest = yield* makeGuest
        yield* behave(guest, devnet)
        yield* guest.dial(peer)
        yield* eventually(Effect.map(examined, (count) => count > before))
      }
      const fifth = yield* makeGuest
      yield* behave(fifth, devnet)
      yield* fifth.dial(peer)
      assert.strictEqual(yield* fifth.goodbye, 129)
      assert.deepStrictEqual(yield* fifth.suffered(peer), ["goodbye 129"])
    })
  )
})

const serveErrors = ({ node }: Guest) =>
  Effect.forEach(byRangeIds, (id) =>
    serve(node, { ...ping, id, request: { min: 0, max: 4096 } }, (_, __, reply) => reply.error(3, "not here"))
  )

const serveResets = ({ node }: Guest) =>
  Effect.forEach(byRangeIds, (id) =>
    serve(node, { ...ping, id, request: { min: 0, max: 4096 } }, (_, __, reply) => reply.reset)
  )
