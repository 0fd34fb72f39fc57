import { Effect, Layer, Option, Stream } from "effect"
import { ColumnArrivals } from "../../../src/arrival/ColumnArrivals.ts"
import { SubscribedColumns } from "../../../src/arrival/SubscribedColumns.ts"
import * as WorkerSignatures from "../../../src/bls/WorkerSignatures.ts"
import { CommitmentCache } from "../../../src/chain/CommitmentCache.ts"
import { blockAtOrBefore, checkpointAt } from "../../../src/devnet/chain/ChainState.ts"
import { proposerOf, validatorKey } from "../../../src/devnet/chain/Validators.ts"
import { toHex } from "../../../src/domain/Bytes.ts"
import { epochOf, epochStart, slotAt } from "../../../src/domain/network/Chain.ts"
import * as MemoryEvidence from "../../../src/evidence/MemoryEvidence.ts"
import * as MemoryHistory from "../../../src/history/store/MemoryHistory.ts"
import * as MemoryEventBus from "../../../src/events/MemoryEventBus.ts"
import * as ColumnGossip from "../../../src/gossip/ColumnGossip.ts"
import { Externs } from "../../../src/host/Externs.ts"
import { Gossip } from "../../../src/host/Gossip.ts"
import { GossipTruth } from "../../../src/host/GossipTruth.ts"
import { Host } from "../../../src/host/Host.ts"
import { makeGossip, makeJoinedTopics } from "../../../src/host/libp2p/Libp2pGossip.ts"
import { KzgThreads } from "../../../src/kzg/KzgThreads.ts"
import * as WorkerVerifier from "../../../src/kzg/WorkerVerifier.ts"
import { LiveMatrix } from "../../../src/matrix/LiveMatrix.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import { type BenchChain, seed } from "./BenchChain.ts"

/** What came of the columns that the node was sent. */
export interface Heard {
  /** From the arrival of each accepted column to its acceptance, milliseconds. */
  readonly delaysMs: Array<number>
  duplicates: number
}

/**
 * The monitor's own gossip on all columns, over sockets and with its worker threads. The chain is told without HTTP: up to the
 * slot before the one that is running, so that every column is early and all rules are checked. Gives its address.
 */
export const makeGossipNode = Effect.fnUntraced(function* (chain: BenchChain, heard: Heard) {
  const { parameters } = chain
  const imported = () => chain.stateAt(slotAt(parameters, Date.now()) - 1)
  const known = Effect.sync(imported)
  const joined = makeJoinedTopics()
  const node = yield* makeNode({ agent: "bench/1", gossip: joined.rules })
  const gossip = yield* makeGossip(node, joined)
  const truth = Layer.succeed(
    GossipTruth,
    Option.some({
      block: (root) =>
        Effect.map(known, ({ byRoot }) =>
          Option.map(Option.fromNullable(byRoot.get(root)), ({ header, slot }) => ({
            slot,
            root,
            parentRoot: toHex(header.message.parentRoot),
            isCanonical: true
          }))
        ),
      proposers: (epoch) =>
        Effect.map(known, (state) => {
          const decidedAt = Math.max(0, epochStart(parameters, epoch - 1) - 1)
          const slots = Array.from({ length: parameters.slotsPerEpoch }, (_, at) => epochStart(parameters, epoch) + at)
          return {
            epoch,
            decidedAt,
            dependentRoot: blockAtOrBefore(state, decidedAt).root,
            bySlot: new Map(slots.map((slot) => [slot, keys(slot)]))
          }
        }),
      validatorKey: (index) => Effect.succeedSome(validatorKey(seed, index))
    })
  )
  const cache = Layer.succeed(CommitmentCache, {
    range: ({ start }) => Effect.succeed([{ _tag: "Empty", slot: start }]),
    confirm: (slot) => Effect.succeed({ _tag: "Empty", slot }),
    columnSlots: () => 0,
    replacedSince: () => ({ seen: 0, blocks: [] }),
    orphan: () => Option.none(),
    progress: Effect.succeed({ known: 0, wanted: 0, oldest: Option.none(), unknown: 0 }),
    backfill: Effect.never,
    headSlot: Effect.map(known, ({ head }) => head.slot),
    finalized: Effect.map(known, (state) =>
      Option.some(checkpointAt(parameters, state, epochOf(parameters, state.head.slot) - 2))
    ),
    compare: () => Effect.succeed("unknown" as const)
  } satisfies CommitmentCache["Type"])
  const arrivals = Layer.succeed(ColumnArrivals, {
    accepted: ({ at }) => Effect.sync(() => void heard.delaysMs.push(Date.now() - at)),
    duplicate: () => Effect.sync(() => void heard.duplicates++),
    unjudged: () => Effect.void,
    unheard: () => Effect.void
  })
  const host = Layer.mergeAll(
    Layer.succeed(Externs, {
      chain: parameters,
      peerRefresh: () => Effect.never,
      chainQuery: () => Effect.succeed([]),
      chainHead: Effect.map(known, ({ head }) => head),
      chainEvents: Stream.never
    }),
    Layer.succeed(Gossip, gossip),
    Layer.succeed(Host, {
      peerId: node.peerId.toString(),
      multiaddrs: [],
      connect: () => Effect.never,
      disconnect: () => Effect.void,
      request: () => Effect.never,
      connected: Effect.succeed([]),
      events: Effect.succeed(Stream.never)
    } satisfies Host["Type"])
  )
  yield* Layer.build(
    ColumnGossip.layer({ mode: "observe", columns: "all", custodyGroupCount: 4 }).pipe(
      Layer.provide([cache, arrivals, truth, LiveMatrix.layer({ memoryBytes: 64 * 2 ** 20 })]),
      Layer.provide([SubscribedColumns.layer, MemoryEventBus.layer(), MemoryEvidence.layer(), MemoryHistory.layer]),
      Layer.provide(Layer.mergeAll(WorkerVerifier.layer(), WorkerSignatures.layer)),
      Layer.provide([host, KzgThreads.layer()])
    )
  )
  return { address: node.getMultiaddrs()[0]?.toString() ?? "" }
})

const known = new Map<number, { readonly index: number; readonly publicKey: Uint8Array }>()
const keys = (slot: number) => {
  const index = proposerOf(seed, slot)
  const key = known.get(slot) ?? { index, publicKey: validatorKey(seed, index) }
  known.set(slot, key)
  return key
}
