import { Context, Duration, Effect, Layer, Metric, Option, Schedule, type Scope } from "effect"
import { SubscribedColumns } from "../arrival/SubscribedColumns.ts"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { nothingKept, type OwnCustodyState } from "../domain/custody/OwnCustodyState.ts"
import { makeServeLimits } from "../domain/custody/ServeLimits.ts"
import { custodyFailing } from "../domain/metrics/Metrics.ts"
import { custodyRequirement } from "../domain/network/Chain.ts"
import { columnsOfPeerId } from "../domain/peer/ColumnsOfPeerId.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"
import { Gossip } from "../host/Gossip.ts"
import { Host } from "../host/Host.ts"
import { type CustodyNode, OwnCustody } from "../host/OwnCustody.ts"
import { Recoverer } from "../kzg/Recoverer.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { Peers } from "../peers/Peers.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeAccount } from "./Account.ts"
import { CustodyStore, type KeptBlock, memoryStore } from "./CustodyStore.ts"
import { fillGaps } from "./FillGaps.ts"
import { keepColumns, type Keeper } from "./KeepColumns.ts"
import { keepWithin, type Within } from "./KeepWithin.ts"
import { reconstruct } from "./Reconstruct.ts"
import { serveColumns } from "./ServeColumns.ts"
import { makeTally, type Tally } from "./Tally.ts"

export interface CustodyOptions {
  readonly mode: OwnCustodyState["mode"]
  /** How long columns are kept; what is longer than the network's own retention counts as that. */
  readonly retention: Duration.Duration
  /** Bytes on disk. */
  readonly mostBytes: number
  /** Bytes a second, and a day, that peers are given. */
  readonly serveBytesPerSecond: number
  readonly serveDailyBytes: number
  /** Whether columns of the time before the first that is kept are asked for too. */
  readonly isBackfilling: boolean
  /** How long after half of a block's columns what is lacking is waited for, and up to twice that. */
  readonly reconstructAfter: Duration.Duration
}

/**
 * The columns that our own node has taken custody of: with `participate`, and a host whose node says so (`OwnCustody`), they
 * are kept (in a `CustodyStore`; in memory where there is none), claimed from the first slot on from which none of them is
 * missing, and served; what does not come is asked for or recovered, and what is recovered is published.
 */
export class Custody extends Context.Tag("dasmon/Custody")<
  Custody,
  {
    readonly state: Effect.Effect<OwnCustodyState>
  }
>() {
  static readonly layer = (options: CustodyOptions) => Layer.scoped(Custody, make(options))
}

const make = Effect.fn("Custody.make")(function* (options: CustodyOptions) {
  const { peerId } = yield* Host
  const node = yield* OwnCustody
  const count = Option.match(node, { onNone: () => custodyRequirement, onSome: (node) => node.custodyGroupCount })
  const columns = columnsOfPeerId(peerId, count)
  const tally = makeTally()
  const unkept = nothingKept({ mode: options.mode, custodyGroupCount: count, columns })
  if (options.mode !== "participate") return Custody.of({ state: Effect.succeed(unkept) })
  if (Option.isNone(node)) {
    yield* Effect.logWarning("gossip.mode is participate, but the host's node keeps no columns: it only observes")
    return Custody.of({ state: Effect.succeed({ ...unkept, mode: "observe" as const }) })
  }
  const parts = yield* takeCustody(options, node.value, columns, tally)
  return Custody.of({
    state: Effect.map(parts.earliestAvailableSlot, (earliestAvailableSlot) => {
      const reason = parts.trouble()
      return {
        ...unkept,
        earliestAvailableSlot,
        state: reason === undefined ? ("keeping" as const) : ("failing" as const),
        reason: reason ?? null,
        bytes: parts.within.bytes(),
        ...tally.now()
      }
    })
  })
})

interface Parts {
  readonly earliestAvailableSlot: Effect.Effect<Slot>
  readonly keeper: Keeper
  readonly within: Within
  readonly trouble: () => string | undefined
}

const takeCustody = Effect.fnUntraced(function* (
  options: CustodyOptions,
  node: CustodyNode,
  columns: ReadonlyArray<number>,
  tally: Tally
): Effect.fn.Return<
  Parts,
  never,
  Scope.Scope | Externs | CommitmentCache | LiveMatrix | Peers | Recoverer | SubscribedColumns
> {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const live = yield* LiveMatrix
  const peers = yield* Peers
  const recoverer = yield* Recoverer
  const gossip = yield* Effect.serviceOption(Gossip)
  const subscribed = yield* SubscribedColumns
  const store = Option.getOrElse(yield* Effect.serviceOption(CustodyStore), memoryStore)
  const account = yield* makeAccount({ columns, store, commitments })
  const keeper = yield* keepColumns({ columns, store, live, tally, written: account.written })
  const within = keepWithin({
    chain,
    store,
    keepSlots: Math.ceil(Duration.toMillis(options.retention) / chain.slotDurationMs),
    mostBytes: options.mostBytes
  })
  let trouble: string | undefined

  const pass = Effect.gen(function* () {
    const head = yield* commitments.headSlot
    for (let slot = Math.max(0, head - recentSlots); slot <= head; slot++) yield* keeper.look(slot)
    const lowest = yield* within.lowest(head)
    yield* account.look(lowest)
    yield* within.prune(lowest)
    trouble = undefined
  }).pipe(
    Effect.catchTags({
      // What was so is so still; the head does not go on either.
      ExternsError: ({ message }) => Effect.logDebug(`our own columns could not be held against the chain: ${message}`),
      CustodyStoreError: ({ message }) =>
        Effect.gen(function* () {
          if (trouble === undefined) yield* Effect.logError(`none of our own columns are claimed: ${message}`)
          trouble = message
          account.lose(yield* commitments.headSlot)
        })
    }),
    Effect.zipRight(
      Effect.suspend(() => Metric.set(custodyFailing, (trouble ?? keeper.trouble()) === undefined ? 0 : 1))
    )
  )
  yield* pass
  const every = Duration.millis(Math.min(longestPause, chain.slotDurationMs / 4))
  yield* daemon("the account of our own columns", pass, Schedule.spaced(every))

  /** As a Status has it: never above the head. */
  const earliestAvailableSlot = Effect.map(commitments.headSlot, (head) => {
    const { earliestAvailableSlot, head: last } = account.claim()
    return Math.min(earliestAvailableSlot, Option.match(last, { onNone: () => head, onSome: ({ slot }) => slot }))
  })
  const served = serveColumns({
    chain,
    columns,
    earliestAvailableSlot,
    oldestSlot: Effect.map(store.oldest(1), ([oldest]) => oldest?.slot ?? Infinity),
    headSlot: commitments.headSlot,
    facts: commitments.range,
    blocks: store.blocks,
    block: (root: Root) =>
      Effect.map(store.block(root), (kept) => united(Option.getOrUndefined(kept), keeper.waiting.block(root))),
    read: (root, column) => {
      const waiting = keeper.waiting.read(root, column)
      return waiting === undefined ? store.read(root, column) : Effect.succeedSome(waiting)
    },
    limits: makeServeLimits({ bytesPerSecond: options.serveBytesPerSecond, dailyBytes: options.serveDailyBytes }),
    tally
  })
  yield* fillGaps({
    chain,
    account,
    keeper,
    store,
    peers,
    headSlot: commitments.headSlot,
    isBackfilling: options.isBackfilling
  })
  if (Option.isSome(gossip)) {
    yield* reconstruct({
      chain,
      wanted: () => [...new Set([...columns, ...subscribed.current()])],
      after: options.reconstructAfter,
      live,
      commitments,
      peers,
      recoverer,
      publish: gossip.value.publish,
      tally
    })
  }
  yield* node.employ({ ...served, claim: Effect.sync(account.claim) })
  return { earliestAvailableSlot, keeper, within, trouble: () => trouble ?? keeper.trouble() }
})

const united = (kept: KeptBlock | undefined, waiting: KeptBlock | undefined): Option.Option<KeptBlock> => {
  const one = kept ?? waiting
  if (one === undefined) return Option.none()
  const columns = [...new Set([...(kept?.columns ?? []), ...(waiting?.columns ?? [])])].sort((a, b) => a - b)
  return Option.some({ ...one, columns })
}

/** Behind the head, in which columns may still come. */
const recentSlots = 32
const longestPause = 3_000
