import { assert } from "@effect/vitest"
import type { Stream as Libp2pStream } from "@libp2p/interface"
import { Duration, Effect, Layer, TestClock, TestContext } from "effect"
import type { PeersSpec } from "../../../src/devnet/PeersSpec.ts"
import { metadataRequest, pingRequest, statusRequest } from "../../../src/wire/Handshake.ts"
import { columnsByRange, columnsByRoot } from "../../../src/wire/Requests.ts"
import { serveNothing } from "../../../src/wire/Server.ts"
import { eventually } from "../../Eventually.ts"
import { shared } from "../../Shared.ts"
import { behave, goodStatus, makeGuest } from "../Guest.ts"
import { ask, due, labels, layerStranger, Stranger } from "../Stranger.ts"

const peers: PeersSpec = [
  "like-prysm",
  "like-lighthouse",
  "like-lodestar",
  "like-teku",
  "like-nimbus",
  "like-grandine",
  "like-caplin"
]

/** Time stands still but for this. */
const pass = (time: Duration.DurationInput) => TestClock.adjust(time)

const layer = layerStranger({ peers, slotDuration: Duration.seconds(1), seed: 17 }).pipe(
  Layer.provide(Layer.effectDiscard(TestClock.setTime(1_800_000_000_000))),
  Layer.provideMerge(TestContext.TestContext)
)

/** A guest with good manners, which speaks gossipsub and answers whatever it is asked for with nothing. */
const goodGuest = Effect.gen(function* () {
  const { devnet } = yield* Stranger
  const guest = yield* makeGuest
  const streams: Array<Libp2pStream> = []
  yield* Effect.promise(() => guest.node.handle("/meshsub/1.1.0", (stream) => void streams.push(stream)))
  yield* behave(guest, devnet)
  for (const name of ["beacon_blocks_by_range/2", "blob_sidecars_by_range/1", "data_column_sidecars_by_range/1"]) {
    yield* serveNothing(guest.node, `/eth2/beacon_chain/req/${name}/ssz_snappy`)
  }
  return guest
})

const unknown = (count: number) =>
  columnsByRoot([{ blockRoot: `0x${"ab".repeat(32)}`, columns: Array.from({ length: count }, (_, c) => c) }])

shared("peers as clients are", layer, (it) => {
  it.each(peers)("%s keeps a guest with good manners, and serves all that it claims", (name) =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer: named } = yield* Stranger
      const peer = named(name)
      const guest = yield* goodGuest
      const connection = yield* guest.dial(peer)
      yield* ask(connection, statusRequest(yield* goodStatus(devnet)))
      const columns = yield* columnsOf(peer)
      const expected = yield* blocks(100, 4)
      const byRange = yield* ask(connection, columnsByRange({ startSlot: 100, count: 4, columns }))
      assert.deepStrictEqual(labels(byRange), due(expected, columns))
      const byRoot = yield* ask(
        connection,
        columnsByRoot(expected.map(({ root: blockRoot }) => ({ blockRoot, columns })))
      )
      assert.deepStrictEqual(labels(byRoot), due(expected, columns))
      yield* eventually(Effect.map(peer.account, ({ counts }) => (counts["examined"] ?? 0) > 0))
      assert.strictEqual(connection.status, "open")
      assert.deepStrictEqual(yield* guest.suffered(peer), [])
    })
  )

  it.each(["like-lighthouse", "like-grandine"] as const)("%s bans who does not speak gossipsub", (name) =>
    Effect.gen(function* () {
      const { devnet, peer: named } = yield* Stranger
      const guest = yield* makeGuest
      yield* behave(guest, devnet)
      yield* guest.dial(named(name))
      assert.strictEqual(yield* guest.goodbye, 0)
    })
  )

  it.live("like-lighthouse answers a third MetaData in five seconds with code 139", () =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("like-lighthouse")
      const guest = yield* goodGuest
      const connection = yield* guest.dial(peer)
      const asked = Effect.map(ask(connection, metadataRequest), ({ end }) => end)
      assert.strictEqual(yield* asked, "end")
      assert.strictEqual(yield* asked, "end")
      assert.match(yield* asked, /^PeerRefused code 139/)
      yield* pass("3 seconds")
      assert.strictEqual(yield* asked, "end")
      assert.deepStrictEqual(yield* guest.suffered(peer), ["strike"])
    })
  )

  it.live("like-lodestar bans who asks for more than it may", () =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("like-lodestar")
      const guest = yield* goodGuest
      const connection = yield* guest.dial(peer)
      const all = Array.from({ length: 128 }, (_, column) => column)
      assert.strictEqual(
        (yield* ask(connection, columnsByRange({ startSlot: 0, count: 128, columns: all }))).end,
        "end"
      )
      yield* Effect.forkScoped(ask(connection, unknown(1)))
      yield* Effect.forkScoped(ask(connection, columnsByRange({ startSlot: 0, count: 1, columns: [1] })))
      assert.strictEqual(yield* guest.goodbye, 251)
      yield* guest.thrownOut
      assert.deepStrictEqual(yield* guest.suffered(peer), ["strike", "ban", "goodbye 251"])
    })
  )

  it.live("like-teku hangs up on the request after a hundred, without a word", () =>
    Effect.gen(function* () {
      const peer = (yield* Stranger).peer("like-teku")
      const guest = yield* goodGuest
      const connection = yield* guest.dial(peer)
      for (let request = 0; request < 100; request++) {
        assert.strictEqual((yield* ask(connection, pingRequest(1))).end, "end")
      }
      yield* Effect.forkScoped(ask(connection, pingRequest(1)))
      yield* guest.thrownOut
      assert.deepStrictEqual(yield* guest.suffered(peer), ["strike"])
    })
  )

  it.live("like-caplin gives a bare code 1 for half a minute, and code 3 where it has nothing", () =>
    Effect.gen(function* () {
      const { devnet, peer: named } = yield* Stranger
      const peer = named("like-caplin")
      const guest = yield* goodGuest
      const connection = yield* guest.dial(peer)
      yield* ask(connection, statusRequest(yield* goodStatus(devnet)))
      const end = (count: number) => Effect.map(ask(connection, unknown(count)), ({ end }) => end)
      assert.match(yield* end(128), /code 3/)
      assert.match(yield* end(1), /code 1\b/)
      yield* pass("20 seconds")
      assert.match(yield* end(1), /code 1\b/)
      yield* pass("11 seconds")
      assert.match(yield* end(1), /code 3/)
      assert.deepStrictEqual(yield* guest.suffered(peer), ["strike", "strike"])
    })
  )

  it.live("like-nimbus lets chunks wait for its quota, and refuses nothing", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer: named } = yield* Stranger
      const peer = named("like-nimbus")
      const guest = yield* goodGuest
      const connection = yield* guest.dial(peer)
      yield* ask(connection, statusRequest(yield* goodStatus(devnet)))
      const columns = yield* columnsOf(peer)
      const expected = yield* blocks(32, 96)
      const asked = columnsByRange({ startSlot: 32, count: 96, columns })
      const all = due(expected, columns)
      // Enough to be at the end of any quota, whatever others have taken of it.
      const rounds = Math.ceil(600 / all.length)
      // Of real time: a second of the devnet's may take several.
      const limit = Duration.minutes(5)
      const answers = yield* Effect.fork(
        Effect.replicateEffect(ask(connection, asked, { chunk: limit, total: limit }), rounds)
      )
      // In few steps, since each waits until hardly anything goes on; a chunk may be under way for ten seconds.
      yield* eventually(
        Effect.zipRight(
          pass("4 seconds"),
          Effect.map(answers.status, ({ _tag }) => _tag === "Done")
        ),
        "1 minute"
      )
      for (const heard of yield* answers) {
        assert.strictEqual(heard.end, "end")
        assert.deepStrictEqual(labels(heard), all)
      }
      assert.deepStrictEqual(yield* guest.suffered(peer), [])
    })
  )
})
