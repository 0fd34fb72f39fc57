import { Clock, Context, Duration, Effect, Layer, Option } from "effect"
import { SubscribedColumns } from "../../src/arrival/SubscribedColumns.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { Custody, type CustodyOptions } from "../../src/custody/Custody.ts"
import type { CustodyStore } from "../../src/custody/CustodyStore.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import type { ChainParameters } from "../../src/domain/network/Chain.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import * as Libp2pHost from "../../src/host/libp2p/Libp2pHost.ts"
import { custodyStatus, makeCustodySeat } from "../../src/host/libp2p/CustodySeat.ts"
import { OwnCustody } from "../../src/host/OwnCustody.ts"
import { Recoverer } from "../../src/kzg/Recoverer.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Peers } from "../../src/peers/Peers.ts"
import type { StatusMessage } from "../../src/wire/Handshake.ts"
import { makeChain } from "../domain/network/Chains.ts"
import { rootOf } from "./StoreContract.ts"

export const headSlot = 100

/** A chain whose head is slot 100, ten slots ago, with two blobs in each even slot; the tests may change it. */
export interface World {
  readonly chain: ChainParameters
  readonly blocks: Map<number, Block>
  head: number
  readonly replaced: Array<{ readonly slot: number; readonly root: string }>
}

export const makeWorld = Effect.map(Clock.currentTimeMillis, (now): World => {
  const slotDurationMs = 4000
  const chain = makeChain({
    genesisTime: Math.floor((now - (headSlot + 10) * slotDurationMs) / 1000),
    slotDurationMs,
    forks: [
      { name: "electra", version: Uint8Array.of(5, 0, 0, 0), epoch: 0 },
      { name: "fulu", version: Uint8Array.of(6, 0, 0, 0), epoch: 0 }
    ],
    blobSchedule: []
  })
  const slots = Array.from({ length: 60 }, (_, n) => headSlot - 50 + n)
  return {
    chain,
    head: headSlot,
    replaced: [],
    blocks: new Map(slots.map((slot) => [slot, blockAt(slot, slot % 2 === 0 ? 2 : 0)]))
  }
})

export const blockAt = (slot: number, blobs: number, root = rootOf(slot)): Block => ({
  slot,
  root,
  parentRoot: rootOf(slot - 1),
  fork: "fulu",
  commitments: Array.from({ length: blobs }, () => new Uint8Array(48)),
  signature: Option.none(),
  payload: "full"
})

/** The sidecar of a column: no true one, but different from all others. */
export const sidecarAt = (slot: number, column: number): Uint8Array =>
  Uint8Array.from({ length: 4644 }, (_, at) => (at < 4 ? ([slot & 255, slot >> 8, column, 7][at] ?? 0) : at & 255))

const cacheOf = (world: World) =>
  Layer.mock(CommitmentCache, {
    range: ({ end, start }) => {
      const told = Array.from({ length: end - start + 1 }, (_, n) => start + n).filter((slot) => slot >= headSlot - 50)
      return end > world.head || told.length === 0
        ? Effect.fail(new ExternsError({ operation: "range", reason: "it cannot be told" }))
        : Effect.succeed(
            told.map((slot) => {
              const block = world.blocks.get(slot)
              return block === undefined ? { _tag: "Empty" as const, slot } : { _tag: "Block" as const, block }
            })
          )
    },
    headSlot: Effect.sync(() => world.head),
    columnSlots: () => 0,
    orphan: () => Option.none(),
    replacedSince: (seen) => ({ seen: world.replaced.length, blocks: world.replaced.slice(seen) })
  })

const noPeers = { view: () => Option.none(), known: () => Option.none(), passedOver: () => 0, isSentAway: () => false }

const options: CustodyOptions = {
  mode: "participate",
  retention: Duration.days(19),
  mostBytes: 2 ** 30,
  serveBytesPerSecond: 2 ** 22,
  serveDailyBytes: Infinity,
  isBackfilling: false,
  reconstructAfter: Duration.millis(100)
}

/** A node that participates, listening on loopback, for as long as the scope is open. */
export const participant = (
  world: World,
  store: Layer.Layer<CustodyStore>,
  more: {
    readonly identityFile?: string
    readonly options?: Partial<CustodyOptions>
    readonly groups?: number
    /** The peers that it may ask; nobody if left out. */
    readonly peers?: Pick<Peers["Type"], "views" | "ask">
  } = {}
) =>
  Effect.gen(function* () {
    const seat = makeCustodySeat(more.groups ?? 8)
    const status: Effect.Effect<StatusMessage> = Effect.sync(() => ({
      forkDigest: "0x00000000",
      finalizedRoot: rootOf(0),
      finalizedEpoch: 0,
      headRoot: rootOf(world.head),
      headSlot: world.head,
      earliestAvailableSlot: world.head
    }))
    const node = yield* Libp2pHost.makeWithGossip({
      version: "1",
      status: custodyStatus(status, seat),
      custody: seat,
      ...(more.identityFile === undefined ? {} : { identityFile: more.identityFile })
    })
    const around = Layer.mergeAll(
      Layer.succeedContext(node),
      Layer.succeed(OwnCustody, Option.some(seat)),
      Layer.mock(Externs, { chain: world.chain }),
      cacheOf(world),
      Layer.mock(Peers, { ...noPeers, ...(more.peers ?? { views: () => [] }) }),
      Layer.mock(Recoverer, {}),
      store
    )
    const engine = yield* Layer.build(
      Custody.layer({ ...options, ...more.options }).pipe(
        Layer.provideMerge(LiveMatrix.layer({ memoryBytes: 2 ** 26 })),
        Layer.provide([around, SubscribedColumns.layer, MemoryEventBus.layer()])
      )
    )
    const live = Context.get(engine, LiveMatrix)
    return {
      state: Context.get(engine, Custody).state,
      multiaddrs: Context.get(node, Host).multiaddrs,
      /** Has columns of a slot's block come by gossip. */
      hear: (slot: number, columns: ReadonlyArray<number>, root = rootOf(slot)) =>
        Effect.forEach(columns, (column) =>
          live.hold({
            block: { root, slot, blobs: 2 },
            column,
            fork: "fulu",
            ssz: sidecarAt(slot, column),
            source: "gossip",
            at: 0,
            from: "someone"
          })
        )
    }
  })
