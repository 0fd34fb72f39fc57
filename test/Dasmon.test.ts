import { existsSync } from "node:fs"
import { ssz } from "@lodestar/types"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Either, Exit, Fiber, Layer, Option, Scope, Stream, TestClock } from "effect"
import { fromHex, toHex } from "../src/domain/Bytes.ts"
import {
  type Block,
  ChainCommitments,
  type ChainParameters,
  custodyColumns,
  Dasmon,
  Externs,
  forkDigestAt,
  Host,
  InlineRecoverer,
  InlineVerifier,
  makeConfig,
  MemoryEventBus,
  MemoryEvidence,
  MemoryReports,
  nodeIdOfPeerId,
  PeerDisconnected,
  type PeerId,
  type RequestMessage,
  type ResponseChunk,
  type Slot
} from "../src/index.ts"
import { dataColumnSidecarsByRange } from "../src/wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../src/wire/Requests.ts"
import { layerSeeded } from "./Seeded.ts"

const chain: ChainParameters = {
  network: "own",
  genesisTime: 0,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 1000,
  slotsPerEpoch: 32,
  forks: [
    { name: "electra", version: Uint8Array.of(5, 0, 0, 1), epoch: 0 },
    { name: "fulu", version: Uint8Array.of(6, 0, 0, 1), epoch: 0 },
    { name: "gloas", version: Uint8Array.of(7, 0, 0, 1), epoch: 0 }
  ],
  blobSchedule: [],
  maxBlobsPerBlockElectra: 9,
  retentionEpochs: 4096
}
const forkDigest = toHex(forkDigestAt(chain, 0))
const head: Slot = 200

/** The point at infinity: commitment and proof of a blob of zeros, whose cells are zeros too. */
const infinity = Uint8Array.from({ length: 48 }, (_, index) => (index === 0 ? 0xc0 : 0))

/** Every slot has a block of one such blob. */
const blockAt = (slot: Slot): Block => ({
  slot,
  root: `0x${slot.toString(16).padStart(64, "0")}`,
  parentRoot: `0x${Math.max(0, slot - 1)
    .toString(16)
    .padStart(64, "0")}`,
  fork: "gloas",
  commitments: [infinity],
  signature: Option.none(),
  payload: "full"
})

const honest: PeerId = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"
const withholding: PeerId = "16Uiu2HAm6nLcG47AyCQnB5kDaWJNLbVFbTL9AG3uVvwZK1KUeYs6"
const custody = (peerId: PeerId) => custodyColumns(Either.getOrThrow(nodeIdOfPeerId(peerId)), 8)
const [withheld = 0] = custody(withholding)

/** To us and to both peers. */
const finalized = { epoch: 5, root: blockAt(160).root }

const layerExterns = Layer.succeed(Externs, {
  chain,
  peerRefresh: () =>
    Effect.map(TestClock.currentTimeMillis, (observedAt) => ({
      metadataCount: 8,
      enrCount: undefined,
      enrIsCurrent: false,
      earliestAvailableSlot: 0,
      headSlot: head,
      finalized,
      forkDigest,
      sequenceNumber: 1,
      observedAt
    })),
  chainQuery: ({ end, start }) =>
    Effect.sync(() => Array.from({ length: end - start + 1 }, (_, index) => blockAt(start + index))),
  chainHead: Effect.succeed({ slot: head, root: blockAt(head).root }),
  chainEvents: Stream.concat(
    Stream.make(
      { _tag: "Head" as const, head: { slot: head, root: blockAt(head).root } },
      { _tag: "Finalized" as const, ...finalized }
    ),
    Stream.never
  )
})

/** A node without sockets: both peers are there, and answer at once. */
const layerHost = Layer.sync(Host, () => {
  const connected = new Map<PeerId, { peerId: PeerId; address: string; agent: Option.Option<string> }>()
  return Host.of({
    peerId: "us",
    multiaddrs: [],
    connect: ({ peerId }) =>
      Effect.sync(() => {
        const peer = { peerId, address: "/memory", agent: Option.some("Own/v1") }
        connected.set(peerId, peer)
        return peer
      }),
    disconnect: (peerId) => Effect.sync(() => void connected.delete(peerId)),
    connected: Effect.sync(() => [...connected.values()]),
    events: Effect.succeed(Stream.never),
    request: (peerId, message) =>
      connected.has(peerId)
        ? Effect.sync(() => ({
            protocol: message.protocols[0]?.protocol.id ?? "",
            chunks: Stream.fromIterable(answer(peerId, message))
          }))
        : new PeerDisconnected({ stage: "handshake", detail: "not connected" })
  })
})

const answer = (peerId: PeerId, { protocols }: RequestMessage): ReadonlyArray<ResponseChunk> => {
  const [version] = protocols
  if (version === undefined) throw new Error("a request without a protocol")
  const held = new Set(custody(peerId).filter((column) => peerId === honest || column !== withheld))
  return blocksOf(version).flatMap(({ columns, slot }) =>
    columns.filter((column) => held.has(column)).map((column) => sidecar(slot, column))
  )
}

const blocksOf = ({ body, protocol }: RequestMessage["protocols"][number]) => {
  if (protocol.id !== dataColumnSidecarsByRange.id) {
    const blocks = Either.getOrThrow(decodeColumnsByRoot(body))
    return blocks.map(({ blockRoot, columns }) => ({ slot: Number(blockRoot), columns }))
  }
  const { columns, count, startSlot } = Either.getOrThrow(decodeColumnsByRange(body))
  return Array.from({ length: count }, (_, index) => ({ slot: startSlot + index, columns }))
}

const sidecar = (slot: Slot, index: number): ResponseChunk => {
  const bytes = ssz.gloas.DataColumnSidecar.serialize({
    index,
    column: [new Uint8Array(2048)],
    kzgProofs: [infinity],
    slot,
    beaconBlockRoot: fromHex(blockAt(slot).root)
  })
  return { context: forkDigest, ssz: bytes, wireBytes: bytes.length }
}

const databasePath = "/nowhere/custody.db"

const layerDasmon = Layer.unwrapEffect(
  Effect.map(
    makeConfig({
      databasePath,
      peers: [honest, withholding].map((peerId) => `/ip4/192.0.2.1/tcp/9000/p2p/${peerId}`),
      testInterval: "1s",
      confirmAfter: "1s",
      sampling: { maxSlots: 4 }
    }),
    (config) => Dasmon.layerOver(config, { simulated: true })
  )
).pipe(
  Layer.provide([
    MemoryReports.layer,
    MemoryEvidence.layer(),
    MemoryEventBus.layer(),
    InlineVerifier.layerInline,
    InlineRecoverer.layerInline,
    ChainCommitments.layer({ window: "1 hour", mode: "background" })
  ]),
  Layer.provide([layerHost, layerExterns]),
  Layer.provide(layerSeeded)
)

/** Sockets, servers and threads of this process. */
const resources = (): number =>
  process.getActiveResourcesInfo().filter((name) => /TCP|Pipe|MessagePort|Worker/.test(name)).length

/** The verdicts that are told, each with its peer, until there are as many. */
const verdicts = (dasmon: Dasmon["Type"], count: number) =>
  dasmon.events.since(0, { types: ["NodeTracking"] }).pipe(
    Stream.filterMap((event) =>
      event._tag === "NodeTracking" && event.change === "verdict"
        ? Option.some([event.peerId, event.peer.verdict] as const)
        : Option.none()
    ),
    Stream.take(count),
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )

/** Lets time pass until the fiber has ended, at most half a minute. */
const passUntilDone = <A>(fiber: Fiber.RuntimeFiber<A>) =>
  TestClock.adjust("100 millis").pipe(
    Effect.zipRight(Fiber.poll(fiber)),
    Effect.repeat({ until: Option.isSome, times: 300 }),
    Effect.zipRight(Fiber.interrupt(fiber)),
    Effect.flatten
  )

describe("the engine over memory, with a host and a chain of one's own", () => {
  it.scoped("tells who keeps what it claims and who does not, and ends", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(head * chain.slotDurationMs)
      const before = resources()
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layerDasmon, scope)
      const dasmon = Context.get(context, Dasmon)
      const listening = yield* Effect.fork(Stream.runCount(dasmon.events))

      const told = yield* passUntilDone(yield* Effect.fork(verdicts(dasmon, 3)))
      assert.deepStrictEqual(
        new Map(told),
        new Map([
          [honest, "compliant"],
          [withholding, "violating"]
        ])
      )
      const { failures, probes } = yield* dasmon.peer(withholding)
      assert.isAtLeast(probes, 1)
      assert.deepStrictEqual(
        new Set(failures.map(({ column, outcome }) => (outcome === "suspected" ? outcome : `${outcome} ${column}`))),
        new Set(["suspected", `missing ${withheld}`])
      )
      const first = failures.find(({ outcome }) => outcome === "missing")
      const { canonical, columns } = yield* dasmon.slot(first?.slot ?? 0)
      assert.deepStrictEqual(canonical, {
        _tag: "Block",
        root: blockAt(first?.slot ?? 0).root,
        blobs: 1,
        hasColumns: true
      })
      assert.strictEqual(columns[withheld]?.failed, 1)
      assert.isAtMost(resources(), before)

      yield* Scope.close(scope, Exit.void)
      assert.isAtLeast(yield* Fiber.join(listening), 4)
      assert.isFalse(existsSync(databasePath))
    })
  )
})
