import { Duration, Effect, Either, Layer, Option, Stream } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { Block, SlotFacts } from "../../src/domain/network/Block.ts"
import { fromHex, toHex } from "../../src/domain/Bytes.ts"
import type { ChainParameters } from "../../src/domain/network/Chain.ts"
import type { Claim } from "../../src/domain/peer/Claim.ts"
import { type ClaimParts, makeClaim } from "../../src/domain/peer/ClaimParts.ts"
import { startClaims } from "../../src/domain/peer/ClaimHistory.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { nodeIdOfPeerId } from "../../src/domain/peer/NodeId.ts"
import type { RequestError } from "../../src/domain/probe/Outcome.ts"
import type { PeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import { peekSidecar } from "../../src/domain/column/Sidecar.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import { type SidecarVerdict, Verifier } from "../../src/kzg/Verifier.ts"
import { SelfDoubt } from "../../src/probe/SelfDoubt.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import type { AnswerBounds, RequestMessage, ResponseChunk } from "../../src/wire/Message.ts"
import { dataColumnSidecarsByRange } from "../../src/wire/Protocol.ts"
import {
  type ColumnsByRange,
  type ColumnsOfBlock,
  decodeColumnsByRange,
  decodeColumnsByRoot
} from "../../src/wire/Requests.ts"

/** A Gloas network: its sidecars are 56 bytes when they hold no cells, which is all that these tests need of them. */
export const chain: ChainParameters = {
  network: "fake",
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

export const peer: PeerAddress = {
  peerId: "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g",
  multiaddrs: [],
  enrCustodyGroupCount: Option.none()
}

export const nodeId = Either.getOrThrow(nodeIdOfPeerId(peer.peerId))

/** A combination that a peer sends. */
export interface Sent {
  readonly slot: number
  readonly column: number
  /** The block that the sidecar says it is of; the canonical one unless given. */
  readonly root?: string
  /** Bytes of the sidecar, beyond its fixed part. */
  readonly padding?: number
}

export interface Reply {
  readonly sent: ReadonlyArray<Sent>
  /** How the answer ends; cleanly unless given. */
  readonly error?: RequestError
  /** It does not end at all. */
  readonly isLeftOpen?: boolean
}

/** How a peer behaves: it is asked in this order, and may change the world while it is. */
export interface PeerModel {
  readonly byRange: (request: ColumnsByRange) => Reply
  readonly byRoot: (request: ReadonlyArray<ColumnsOfBlock>) => Reply
  readonly statement: () => Either.Either<Omit<ClaimParts, "nodeId">, RequestError>
}

/** The chain as it is at each moment. */
export interface World {
  readonly canonical: Map<number, Block>
  readonly orphans: Map<string, Block>
  /** Whether the chain can be asked. */
  reachable: boolean
  /** The newest finalized epoch. */
  finalized: number
  readonly requests: Array<string>
  /** What the answer to each may hold. */
  readonly allowed: Array<AnswerBounds | undefined>
}

export const makeWorld = (blobsBySlot: ReadonlyMap<number, number>): World => ({
  canonical: new Map([...blobsBySlot].map(([slot, blobs]) => [slot, block(slot, blobs, 0)])),
  orphans: new Map(),
  reachable: true,
  finalized: 16,
  requests: [],
  allowed: []
})

/** The root of the finalized checkpoint of an epoch. */
export const finalRoot = (epoch: number): string => `0xf1${epoch.toString(16).padStart(62, "0")}`

/** A block that is told from others of its slot by `branch`. */
const block = (slot: number, blobs: number, branch: number): Block => ({
  slot,
  root: toHex(
    Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? branch : (slot >> (8 * (index % 4))) & 0xff))
  ),
  parentRoot: toHex(new Uint8Array(32)),
  fork: "gloas",
  commitments: Array.from({ length: blobs }, () => new Uint8Array(48)),
  signature: Option.none(),
  payload: "full"
})

/** Replaces the block of a slot; the old one becomes an orphan. */
export const reorg = (world: World, slot: number, blobs: number): void => {
  const old = world.canonical.get(slot)
  if (old !== undefined) world.orphans.set(old.root, old)
  world.canonical.set(slot, block(slot, blobs, 1))
}

export const statement = (count: number, earliestAvailableSlot = 0): Omit<ClaimParts, "nodeId"> => ({
  metadataCount: count,
  enrCount: undefined,
  enrIsCurrent: false,
  earliestAvailableSlot,
  headSlot: 1000,
  finalized: { epoch: 16, root: finalRoot(16) },
  forkDigest: forkDigestOfSlot(chain, 0),
  sequenceNumber: 1,
  observedAt: 1_000_000
})

export const claimOf = (parts: Omit<ClaimParts, "nodeId">): Claim => makeClaim({ ...parts, nodeId })
export const claimsOf = (parts: Omit<ClaimParts, "nodeId">) => startClaims(claimOf(parts))

/** Everything that the prober stands on, with this world and this peer behind it. */
export const layerWorld = (
  world: World,
  model: PeerModel
): Layer.Layer<Externs | Host | CommitmentCache | Verifier | LoopLag | SelfDoubt> =>
  SelfDoubt.layer({ confirmAfter: Duration.minutes(10) }).pipe(Layer.provideMerge(layerSeams(world, model)))

/** The same without what goes by time. */
export const layerSeams = (
  world: World,
  model: PeerModel
): Layer.Layer<Externs | Host | CommitmentCache | Verifier | LoopLag> =>
  Layer.mergeAll(
    Layer.mock(Externs, { chain, peerRefresh: () => Effect.suspend(() => model.statement()) }),
    Layer.mock(Host, {
      peerId: "us",
      multiaddrs: [],
      request: (_, message) =>
        Effect.sync(() => ({
          protocol: message.protocols[0]?.protocol.id ?? "",
          chunks: answer(world, model, message)
        }))
    }),
    Layer.mock(CommitmentCache, {
      columnSlots: () => 0,
      replacedSince: () => ({ seen: world.orphans.size, blocks: [...world.orphans.values()] }),
      range: ({ end, start }) =>
        Effect.suspend(() =>
          world.reachable
            ? Effect.succeed(Array.from({ length: end - start + 1 }, (_, index) => facts(world, start + index)))
            : new ExternsError({ operation: "blocks", reason: "unreachable" })
        ),
      confirm: (slot) =>
        Effect.suspend(() =>
          world.reachable
            ? Effect.succeed(facts(world, slot))
            : new ExternsError({ operation: "blocks", reason: "unreachable" })
        ),
      orphan: (root) => Option.fromNullable(world.orphans.get(root)),
      headSlot: Effect.succeed(1000),
      finalized: Effect.sync(() => Option.some({ epoch: world.finalized, root: finalRoot(world.finalized) })),
      compare: ({ epoch, root }) => Effect.succeed(root === finalRoot(epoch) ? "ours" : "other")
    }),
    Layer.succeed(Verifier, Verifier.of({ verify: (sidecars) => Effect.succeed(sidecars.map(verdictOf)) })),
    LoopLag.layerNone
  )

const facts = (world: World, slot: number): SlotFacts => {
  const block = world.canonical.get(slot)
  return block === undefined ? { _tag: "Empty", slot } : { _tag: "Block", block }
}

const verdictOf = (sidecar: { readonly ssz: Uint8Array; readonly blockRoot: Uint8Array }): SidecarVerdict => {
  const label = Either.getOrThrow(peekSidecar("gloas", sidecar.ssz))
  return label.blockRoot === toHex(sidecar.blockRoot)
    ? { _tag: "Valid" }
    : { _tag: "Invalid", check: "header", detail: "another block" }
}

const answer = (
  world: World,
  model: PeerModel,
  message: RequestMessage
): Stream.Stream<ResponseChunk, RequestError> => {
  const version = message.protocols[0]
  if (version === undefined) throw new Error("a request without a protocol")
  const byRange = version.protocol === dataColumnSidecarsByRange
  world.allowed.push(message.allowed)
  world.requests.push(byRange ? "by_range" : "by_root")
  const reply = byRange
    ? model.byRange(Either.getOrThrow(decodeColumnsByRange(version.body)))
    : model.byRoot(Either.getOrThrow(decodeColumnsByRoot(version.body)))
  const chunks = Stream.fromIterable(reply.sent.map((sent) => chunkOf(world, sent)))
  if (reply.isLeftOpen === true) return Stream.concat(chunks, Stream.never)
  return reply.error === undefined ? chunks : Stream.concat(chunks, Stream.fail(reply.error))
}

const chunkOf = (world: World, { column, padding = 0, root, slot }: Sent): ResponseChunk => {
  const ssz = new Uint8Array(56 + padding)
  const view = new DataView(ssz.buffer)
  view.setBigUint64(0, BigInt(column), true)
  view.setUint32(8, 56, true)
  view.setUint32(12, 56, true)
  view.setBigUint64(16, BigInt(slot), true)
  ssz.set(fromHex(root ?? world.canonical.get(slot)?.root ?? block(slot, 0, 9).root), 24)
  return { context: forkDigestOfSlot(chain, slot), ssz, wireBytes: ssz.length }
}
