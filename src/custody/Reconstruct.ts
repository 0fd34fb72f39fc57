import { Clock, Duration, Effect, FiberSet, Option, Random, Stream } from "effect"
import { canonicalBlock } from "../chain/CanonicalBlock.ts"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { dropOldest } from "../domain/Bounded.ts"
import { dataColumnSidecars, frameOfBlock } from "../domain/column/MakeSidecars.ts"
import { type Block, hasColumns } from "../domain/network/Block.ts"
import { type ChainParameters, columnsToReconstruct } from "../domain/network/Chain.ts"
import { columnTopic } from "../domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { Gossip } from "../host/Gossip.ts"
import { matrixOf, type Recoverer } from "../kzg/Recoverer.ts"
import type { LiveMatrix } from "../matrix/LiveMatrix.ts"
import type { Peers } from "../peers/Peers.ts"
import { daemon } from "../runtime/Daemon.ts"
import { retrieve } from "./Retrieve.ts"
import type { Tally } from "./Tally.ts"

export interface Reconstructing {
  readonly chain: ChainParameters
  /** Columns that we should have of every block: those that we owe, and those whose topics we are on. */
  readonly wanted: () => ReadonlyArray<number>
  /** How long after half of the columns are there what is lacking is waited for; up to twice that, at random. */
  readonly after: Duration.Duration
  readonly live: LiveMatrix["Type"]
  readonly commitments: Pick<CommitmentCache["Type"], "range">
  readonly peers: Pick<Peers["Type"], "views" | "ask">
  readonly recoverer: Recoverer["Type"]
  readonly publish: Gossip["Type"]["publish"]
  readonly tally: Tally
}

/**
 * Reconstruction and cross-seeding (fulu/das-core.md): once half of a block's columns are there and some that we should have
 * are not after a while, they are asked for by root, and what still lacks is recovered, held and published on its topic,
 * with the block's own header and signature, unless it has come meanwhile. Once a block, at most two blocks at a time.
 */
export const reconstruct = Effect.fnUntraced(function* (options: Reconstructing) {
  const { after, chain, commitments, live, peers, publish, recoverer, tally, wanted } = options
  const fibers = yield* FiberSet.make()
  const turns = yield* Effect.makeSemaphore(atOnce)
  const seen = new Set<Root>()

  const lacking = Effect.fnUntraced(function* (root: Root, slot: Slot) {
    const block = (yield* live.at(slot)).find(({ blockRoot }) => blockRoot === root)
    const held = new Set(block?.columns.map(({ column }) => column))
    return wanted().filter((column) => !held.has(column))
  })

  /** Nobody may have brought it meanwhile: what is held already is neither held nor published again. */
  const seed = Effect.fnUntraced(function* (block: Block, column: number, ssz: Uint8Array) {
    const { commitments, fork, root, slot } = block
    const at = yield* Clock.currentTimeMillis
    const isNew = yield* live.hold({
      block: { root, slot, blobs: commitments.length },
      column,
      fork,
      ssz,
      source: "recovered",
      at
    })
    if (!isNew) return yield* tally.published("seen")
    yield* tally.recovered(1)
    const topic = columnTopic({ forkDigest: forkDigestOfSlot(chain, slot), column })
    yield* publish(topic, ssz).pipe(
      Effect.zipRight(tally.published("published")),
      Effect.catchTag("NotPublished", ({ message }) => Effect.logDebug(message))
    )
  })

  const recover = Effect.fnUntraced(function* (block: Block, columns: ReadonlyArray<number>) {
    const frame = frameOfBlock(block)
    if (Option.isNone(frame))
      return yield* Effect.logDebug(`nothing is made of slot ${block.slot}: it is not known how it is signed`)
    const held = yield* live.columns(block.root)
    const recovered = yield* recoverer.recover(block, new Map([...held].map(([column, { ssz }]) => [column, ssz])))
    const sidecars = dataColumnSidecars(frame.value, matrixOf(recovered.rows), block.commitments.length)
    yield* Effect.forEach(
      columns,
      (column) => {
        const ssz = sidecars.get(column)
        return ssz === undefined ? Effect.void : seed(block, column, ssz)
      },
      { discard: true }
    )
  })

  const complete = Effect.fn("Custody.reconstruct")(function* (root: Root, slot: Slot) {
    const missing = yield* lacking(root, slot)
    if (missing.length === 0) return
    const block = Option.filter(yield* canonicalBlock(commitments, root, slot), hasColumns)
    if (Option.isNone(block)) return
    // What peers bring is held by the prober.
    yield* Effect.timeoutOption(retrieve(peers, { root, slot, columns: missing }), retrievalLimit)
    const still = yield* lacking(root, slot)
    if (still.length === 0) return
    yield* recover(block.value, still).pipe(
      Effect.catchAll((error) =>
        Effect.logDebug(`slot ${slot} could not be recovered: ${"reason" in error ? error.reason : error.message}`)
      )
    )
  })

  const begin = (root: Root, slot: Slot) =>
    Effect.gen(function* () {
      if (seen.has(root) || (yield* FiberSet.size(fibers)) >= mostWaiting) return
      seen.add(root)
      dropOldest(seen, mostSeen)
      const delay = Duration.times(after, 1 + (yield* Random.next))
      yield* FiberSet.run(fibers, Effect.delay(turns.withPermits(1)(complete(root, slot)), delay))
    })

  yield* daemon(
    "reconstruction of new blocks",
    Stream.runForEach(
      Stream.filter(live.changes, ({ held }) => held >= columnsToReconstruct),
      ({ block }) => begin(block.root, block.slot)
    )
  )
})

const atOnce = 2
const mostWaiting = 8
const mostSeen = 256
const retrievalLimit = Duration.seconds(5)
