import "../../src/wire/Polyfill.ts"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Connection } from "@libp2p/interface"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { Chunk, Effect, Either, type Layer, Stream } from "effect"
import { CustodyStore } from "../../src/custody/CustodyStore.ts"
import * as SqliteCustody from "../../src/custody/SqliteCustody.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import type { Probe } from "../../src/domain/probe/Job.ts"
import { request } from "../../src/wire/Client.ts"
import { decodeMetadata, decodeStatus, metadataRequest, statusRequest } from "../../src/wire/Handshake.ts"
import type { RequestMessage } from "../../src/wire/Message.ts"
import { columnsByRange, columnsByRoot } from "../../src/wire/Requests.ts"
import { eventually } from "../Eventually.ts"
import { peerOf } from "../http/FakeDasmon.ts"
import { stranger } from "../host/libp2p/Nodes.ts"
import { blockAt, headSlot, makeWorld, participant, sidecarAt, type World } from "./Participant.ts"
import { rootOf } from "./StoreContract.ts"

const folder = mkdtempSync(join(tmpdir(), "dasmon-custody-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const network = { genesisTime: 1, genesisValidatorsRoot: new Uint8Array(32) }
const diskAt = (name: string, maxBytes?: number) =>
  SqliteCustody.layer({ path: join(folder, name), network, ...(maxBytes === undefined ? {} : { maxBytes }) })

type Participant = Effect.Effect.Success<ReturnType<typeof participant>>

const connect = ({ multiaddrs }: Pick<Participant, "multiaddrs">) =>
  Effect.flatMap(stranger, (node) => Effect.promise(() => node.dial(multiaddrs.map((address) => multiaddr(address)))))

/** Everything that a request brings, or how it fails. */
const ask = (connection: Connection, message: RequestMessage) =>
  request(connection, message).pipe(
    Effect.flatMap(({ chunks }) => Stream.runCollect(chunks)),
    Effect.map(Chunk.toReadonlyArray),
    Effect.scoped
  )

const askStatus = (connection: Connection, world: World) =>
  Effect.gen(function* () {
    const own = {
      forkDigest: "0x00000000",
      finalizedRoot: rootOf(0),
      finalizedEpoch: 0,
      headRoot: rootOf(world.head),
      headSlot: world.head,
      earliestAvailableSlot: world.head
    }
    const [chunk] = yield* ask(connection, statusRequest(own))
    return chunk === undefined ? assert.fail("no status") : Either.getOrThrow(decodeStatus(chunk.ssz))
  })

/** One that has heard all of its columns from slot 90 on. */
const established = (world: World, store: Layer.Layer<CustodyStore>, more?: Parameters<typeof participant>[2]) =>
  Effect.gen(function* () {
    const own = yield* participant(world, store, more)
    const { columns } = yield* own.state
    yield* Effect.forEach([90, 92, 94, 96, 98, 100], (slot) => own.hear(slot, [...columns, 0, 1, 2, 3]))
    yield* eventually(Effect.map(own.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 89))
    return { ...own, columns }
  })

const probeOf = (slot: number): Probe => ({
  id: `probe of ${slot}`,
  purpose: "retrieval",
  job: { peerId: "supernode", startSlot: slot, count: 1, columns: [] },
  startedAt: 0,
  finishedAt: 0,
  timings: { open: null, firstByte: null, total: 0 },
  requests: 1,
  bytes: 0,
  outcomes: [],
  recovered: 0,
  findings: []
})

const range = (startSlot: number, count: number, columns: ReadonlyArray<number>) =>
  columnsByRange({ startSlot, count, columns })

describe("a node that participates", () => {
  it.scopedLive("says what it has, and gives it by range and by root, byte for byte", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* established(world, CustodyStore.layerMemory)
      const { columns } = own
      const connection = yield* connect(own)
      const status = yield* askStatus(connection, world)
      assert.deepStrictEqual([status.headSlot, status.earliestAvailableSlot], [100, 89])
      const [metadata] = yield* ask(connection, metadataRequest)
      assert.strictEqual(
        metadata === undefined ? 0 : Either.getOrThrow(decodeMetadata(metadata.ssz)).custodyGroupCount,
        8
      )

      const all = Array.from({ length: 128 }, (_, column) => column)
      const found = yield* ask(connection, range(89, 128, [...all].reverse()))
      const wanted = [90, 92, 94, 96, 98, 100].flatMap((slot) => columns.map((column) => ({ slot, column })))
      assert.deepStrictEqual(
        found.map(({ ssz }) => ssz),
        wanted.map(({ column, slot }) => sidecarAt(slot, column))
      )
      assert.isTrue(found.every(({ context }) => context === forkDigestOfSlot(world.chain, 90)))
      const one = yield* ask(connection, range(94, 1, columns.slice(3, 5)))
      assert.deepStrictEqual(
        one.map(({ ssz }) => ssz),
        columns.slice(3, 5).map((column) => sidecarAt(94, column))
      )

      const roots = [
        { blockRoot: rootOf(98), columns: [...columns].reverse() },
        { blockRoot: rootOf(12345), columns: [...columns] },
        { blockRoot: rootOf(91), columns: [...columns] },
        { blockRoot: rootOf(90), columns: all }
      ]
      const byRoot = yield* ask(connection, columnsByRoot(roots))
      assert.deepStrictEqual(
        byRoot.map(({ ssz }) => ssz),
        [98, 90].flatMap((slot) => columns.map((column) => sidecarAt(slot, column)))
      )
      const { refused, served, servedBytes } = yield* own.state
      assert.deepStrictEqual([served, servedBytes, refused], [48 + 2 + 16, 66 * 4644, 0])
    })
  )

  it.scopedLive("has nothing for slots without blobs, for others' columns and for what is to come", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* established(world, CustodyStore.layerMemory)
      const { columns } = own
      const connection = yield* connect(own)
      const others = [0, 1, 2, 3].filter((column) => !columns.includes(column))
      assert.isAbove(others.length, 0)
      const empty = [range(91, 1, columns), range(92, 4, others), range(92, 4, []), range(headSlot + 1, 64, columns)]
      for (const message of empty) assert.deepStrictEqual(yield* ask(connection, message), [])
      assert.deepStrictEqual(yield* ask(connection, columnsByRoot([])), [])
      assert.strictEqual((yield* own.state).refused, 0)
    })
  )

  it.scopedLive("refuses with the codes of the specification what it cannot answer, and says so in its counts", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* established(world, CustodyStore.layerMemory)
      const { columns } = own
      const connection = yield* connect(own)
      const below = yield* Effect.flip(ask(connection, range(88, 4, columns)))
      assert.deepStrictEqual(
        [below._tag, "detail" in below ? below.detail : ""],
        ["ColumnsUnavailable", "code 3: the earliest available slot is 89"]
      )
      const none = yield* Effect.flip(ask(connection, range(92, 0, columns)))
      assert.strictEqual("detail" in none ? none.detail : "", "code 1: count is 0")
      const wrong = yield* Effect.flip(ask(connection, range(92, 1, [128])))
      assert.strictEqual("detail" in wrong ? wrong.detail : "", "code 1: there are 128 columns")
      assert.strictEqual((yield* own.state).refused, 3)
    })
  )

  it.scopedLive(
    "ends an answer before a block of which it lacks a column, and claims nothing up to there once it is old",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld
        const own = yield* established(world, CustodyStore.layerMemory)
        const { columns } = own
        const connection = yield* connect(own)
        world.head = 104
        yield* own.hear(102, columns.slice(1))
        yield* own.hear(104, columns)
        yield* eventually(Effect.map(own.state, ({ kept }) => kept === 48 + 7 + 8))
        const slots = (chunks: ReadonlyArray<{ readonly ssz: Uint8Array }>) => [
          ...new Set(chunks.map(({ ssz }) => ssz[0]))
        ]
        assert.deepStrictEqual(slots(yield* ask(connection, range(98, 7, columns))), [98, 100])
        // Of the column that is there nothing is held back.
        assert.strictEqual(
          (yield* ask(connection, columnsByRoot([{ blockRoot: rootOf(102), columns: [...columns] }]))).length,
          7
        )
        // The block that lacks one, and what is behind it, is not claimed; what was claimed is.
        yield* eventually(
          Effect.map(askStatus(connection, world), (told) => {
            assert.deepStrictEqual([told.earliestAvailableSlot, told.headSlot, told.headRoot], [89, 101, rootOf(101)])
            return true
          })
        )
        world.head = 117
        yield* Effect.forEach([106, 108], (slot) => own.hear(slot, columns))
        yield* eventually(Effect.map(own.state, ({ kept }) => kept === 48 + 7 + 8 + 16))
        yield* Effect.sleep("1200 millis")
        assert.strictEqual((yield* askStatus(connection, world)).earliestAvailableSlot, 89)
        world.head = 118
        yield* eventually(Effect.map(own.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 103))
        // It came after all.
        yield* own.hear(102, columns)
        yield* eventually(
          Effect.map(own.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 89),
          "20 seconds"
        )
      })
  )

  it.scopedLive("is the same after a restart, from its file, and nothing of what was missed meanwhile is claimed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const identityFile = join(folder, "restarted.key")
      const columns = yield* Effect.scoped(
        Effect.map(established(world, diskAt("restarted"), { identityFile }), ({ columns }) => columns)
      )
      const again = yield* participant(world, diskAt("restarted"), { identityFile })
      yield* eventually(Effect.map(again.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 89))
      const connection = yield* connect(again)
      const found = yield* ask(connection, range(90, 11, columns))
      assert.deepStrictEqual(
        found.map(({ ssz }) => ssz),
        [90, 92, 94, 96, 98, 100].flatMap((slot) => columns.map((column) => sidecarAt(slot, column)))
      )
    }).pipe(
      Effect.zipRight(
        Effect.scoped(
          Effect.gen(function* () {
            const world = yield* makeWorld
            world.head = 105
            const later = yield* participant(world, diskAt("restarted"), {
              identityFile: join(folder, "restarted.key")
            })
            const { columns } = yield* later.state
            yield* later.hear(104, columns)
            const connection = yield* connect(later)
            // Not of the block that was missed, and so long as that may come still, of none after it.
            yield* eventually(
              Effect.map(
                askStatus(connection, world),
                (told) => told.earliestAvailableSlot === 89 && told.headSlot === 101
              )
            )
            world.head = 118
            yield* Effect.forEach([106, 108], (slot) => later.hear(slot, columns))
            yield* eventually(Effect.map(later.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 103))
            const error = yield* Effect.flip(ask(connection, range(102, 4, columns)))
            assert.strictEqual(error._tag, "ColumnsUnavailable")
            // Who asks by what was claimed a moment ago is given it.
            assert.strictEqual((yield* ask(connection, range(98, 4, columns))).length, 16)
          })
        )
      )
    )
  )

  it.scopedLive("asks peers for what did not come, keeps what they bring, and claims it then", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const questions: Array<{
        readonly slot: number
        readonly columns: ReadonlyArray<number>
        readonly purpose: string
      }> = []
      const all = Array.from({ length: 128 }, (_, column) => column)
      const own = yield* established(world, CustodyStore.layerMemory, {
        peers: {
          views: () => [
            peerOf("supernode", {
              custody: { groupCount: 128, columns: all, earliestAvailableSlot: 0, source: "metadata" },
              headSlot: 106
            })
          ],
          ask: (_, { columns, purpose, slot }) =>
            Effect.sync(() => {
              questions.push({ slot, columns, purpose })
              const proven = columns.map((column) => ({
                blockRoot: blockAt(slot, 2).root,
                column,
                fork: "fulu" as const,
                ssz: sidecarAt(slot, column)
              }))
              return { probe: probeOf(slot), proven, absent: [] }
            })
        }
      })
      const { columns } = own
      world.head = 106
      yield* own.hear(102, columns.slice(3))
      yield* own.hear(104, columns)
      yield* own.hear(106, columns)
      yield* eventually(Effect.map(own.state, ({ kept }) => kept === 48 + 5 + 8 + 8 + 3))
      yield* eventually(Effect.map(own.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 89))
      assert.deepStrictEqual(questions, [{ slot: 102, columns: columns.slice(0, 3), purpose: "retrieval" }])
      const found = yield* ask(yield* connect(own), range(102, 1, columns))
      assert.deepStrictEqual(
        found.map(({ ssz }) => ssz),
        columns.map((column) => sidecarAt(102, column))
      )
    })
  )

  it.scopedLive("that has nothing yet claims no more than its head", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* participant(world, CustodyStore.layerMemory)
      const { headSlot: head, earliestAvailableSlot } = yield* askStatus(yield* connect(own), world)
      assert.deepStrictEqual([head, earliestAvailableSlot], [100, 100])
      assert.strictEqual((yield* own.state).earliestAvailableSlot, 100)
    })
  )

  it.scopedLive("with another custody group count counts its metadata on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const identityFile = join(folder, "counted.key")
      const said = (groups: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            const own = yield* participant(world, CustodyStore.layerMemory, { identityFile, groups })
            const [chunk] = yield* ask(yield* connect(own), metadataRequest)
            return chunk === undefined ? assert.fail("no metadata") : Either.getOrThrow(decodeMetadata(chunk.ssz))
          })
        )
      const told = [yield* said(8), yield* said(8), yield* said(64)]
      assert.deepStrictEqual(
        told.map(({ custodyGroupCount, sequenceNumber }) => [custodyGroupCount, Number(sequenceNumber)]),
        [
          [8, 1],
          [8, 1],
          [64, 2]
        ]
      )
    })
  )

  it.scopedLive("serves an orphan by root while it is young, never by range, and then no longer", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* established(world, CustodyStore.layerMemory)
      const { columns } = own
      const connection = yield* connect(own)
      const orphan = rootOf(9800)
      yield* own.hear(98, columns, orphan)
      yield* eventually(Effect.map(own.state, ({ kept }) => kept === 56))
      const young = yield* ask(connection, columnsByRoot([{ blockRoot: orphan, columns: [...columns] }]))
      assert.strictEqual(young.length, 8)
      assert.strictEqual((yield* ask(connection, range(98, 1, columns))).length, 8)
      // Another block becomes canonical there, of which nothing is held.
      world.blocks.set(96, blockAt(96, 2, rootOf(9600)))
      world.replaced.push({ slot: 96, root: rootOf(96) })
      world.head = 101
      const status = askStatus(connection, world)
      yield* eventually(Effect.map(status, ({ headSlot }) => headSlot === 95))
      world.head = 112
      yield* eventually(Effect.map(own.state, ({ earliestAvailableSlot }) => earliestAvailableSlot === 97))
      const byRoot = ask(connection, columnsByRoot([{ blockRoot: orphan, columns: [...columns] }]))
      world.head = 98 + 64
      assert.strictEqual((yield* byRoot).length, 8)
      world.head++
      yield* eventually(Effect.map(byRoot, ({ length }) => length === 0))
      assert.strictEqual((yield* ask(connection, range(98, 1, columns))).length, 8)
      assert.strictEqual((yield* ask(connection, columnsByRoot([{ blockRoot: rootOf(98), columns }]))).length, 8)
    })
  )

  it.scopedLive("claims nothing that a full disk did not take, and says why", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* participant(world, diskAt("full", 4096 * 40))
      const { columns } = yield* own.state
      yield* Effect.forEach([90, 92, 94, 96, 98, 100], (slot) => own.hear(slot, columns))
      yield* eventually(Effect.map(own.state, ({ state }) => state === "failing"))
      const { earliestAvailableSlot, reason } = yield* own.state
      assert.include(reason, "the disk is full: make room")
      assert.isAbove(earliestAvailableSlot ?? 0, 90)
      const connection = yield* connect(own)
      const error = yield* Effect.flip(ask(connection, range(90, 11, columns)))
      assert.strictEqual(error._tag, "ColumnsUnavailable")
    })
  )

  it.scopedLive("keeps no more than it may, and claims no more than it keeps", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      // Of 48 sidecars of 4,644 bytes.
      const mostBytes = 150_000
      const own = yield* participant(world, diskAt("small"), { options: { mostBytes } })
      const { columns } = yield* own.state
      yield* Effect.forEach([90, 92, 94, 96, 98, 100], (slot) => own.hear(slot, columns))
      const isWithin = Effect.map(
        own.state,
        ({ bytes, earliestAvailableSlot, kept }) =>
          kept === 48 && bytes <= mostBytes && earliestAvailableSlot !== null && earliestAvailableSlot <= 100
      )
      yield* eventually(isWithin)
      const { earliestAvailableSlot } = yield* own.state
      assert.isAbove(earliestAvailableSlot ?? 0, 90)
      const connection = yield* connect(own)
      const start = earliestAvailableSlot ?? 0
      const found = yield* ask(connection, range(start, 101 - start, columns))
      const slots = [90, 92, 94, 96, 98, 100].filter((slot) => slot >= start)
      assert.strictEqual(found.length, slots.length * 8)
    })
  )

  it.scopedLive("answers two requests of a peer at a time, and refuses the third as rate limited", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      // A quarter of it for one peer: slow enough that three are under way.
      const own = yield* established(world, CustodyStore.layerMemory, { options: { serveBytesPerSecond: 40_000 } })
      const { columns } = own
      const connection = yield* connect(own)
      const answers = yield* Effect.all(
        [1, 2, 3].map(() => Effect.either(ask(connection, range(90, 4, columns.slice(0, 2))))),
        { concurrency: "unbounded" }
      )
      const refused = answers.find(Either.isLeft)
      assert.strictEqual(answers.filter(Either.isRight).length, 2)
      assert.deepInclude(refused?.left, { _tag: "PeerRefused", reason: "rate_limited", resultCode: 139 })
      assert.isTrue(answers.every((answer) => Either.isLeft(answer) || answer.right.length === 4))
    })
  )

  it.scopedLive("gives a peer so many bytes a day, and others theirs", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const own = yield* established(world, CustodyStore.layerMemory, { options: { serveDailyBytes: 64 * 40_000 } })
      const { columns } = own
      const [greedy, modest] = [yield* connect(own), yield* connect(own)]
      yield* ask(greedy, range(90, 4, columns))
      const refused = yield* Effect.flip(ask(greedy, range(90, 4, columns)))
      assert.deepInclude(refused, { _tag: "PeerRefused", reason: "rate_limited" })
      assert.strictEqual((yield* ask(modest, range(90, 2, columns))).length, 8)
      assert.strictEqual((yield* ask(greedy, metadataRequest)).length, 1)
    })
  )
})
