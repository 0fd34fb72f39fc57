import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Option, Ref, TestClock } from "effect"
import { layer } from "../../../src/chain/ChainCommitments.ts"
import { CommitmentCache } from "../../../src/chain/CommitmentCache.ts"
import * as MemoryTiles from "../../../src/chain/disk/MemoryTiles.ts"
import { TileStore } from "../../../src/chain/disk/TileStore.ts"
import { CacheFileError } from "../../../src/history/store/sqlite/CacheFile.ts"
import { rootOf, slotOf } from "../../../src/domain/network/Block.ts"
import { Doubts } from "../../../src/runtime/Doubts.ts"
import { layerSeeded } from "../../Seeded.ts"
import { makeProvenChain, provenBlocks } from "./ProvenChain.ts"

const slots = 1000
const blocks = provenBlocks(1, slots)
const finalizedEpoch = 29
/** Fulu begins at slot 32; final is what lies before epoch 29. */
const finalTiles = Array.from({ length: 28 }, (_, index) => 28 - index)

type ProvenChain = Effect.Effect.Success<ReturnType<typeof makeProvenChain>>

const run = (
  chain: ProvenChain,
  store: TileStore["Type"],
  options: { readonly maxBytes?: number; readonly doubts?: Layer.Layer<never> } = {}
) =>
  Effect.map(
    Layer.build(
      layer({ window: "4096 seconds", mode: "background", pause: 0, maxBytes: options.maxBytes }).pipe(
        Layer.provide([chain.layer, layerSeeded, Layer.succeed(TileStore, store)]),
        Layer.provide(options.doubts ?? Layer.empty)
      )
    ),
    Context.get(CommitmentCache)
  )

const settle = Effect.forEach(
  Array.from({ length: 40 }, () => "1 second" as const),
  (step) => Effect.zipRight(TestClock.adjust(step), Effect.yieldNow()),
  { discard: true }
)

const store = Effect.map(Layer.build(MemoryTiles.layer), Context.get(TileStore))

/** All that is known of the window, from the cache. */
const told = (cache: CommitmentCache["Type"]) =>
  Effect.map(
    Effect.forEach([32, 160, 288, 416, 544, 672, 800, 928], (start) =>
      cache.range({ start, end: Math.min(start + 127, slots) })
    ),
    (facts) => facts.flat().map((one) => [slotOf(one), rootOf(one)] as const)
  )

const expected = Array.from({ length: slots - 31 }, (_, index) => 32 + index).map(
  (slot) => [slot, blocks.find((block) => block.slot === slot)?.root] as const
)

/** The store with all that is final, as a first run leaves it. */
const filled = Effect.gen(function* () {
  const kept = yield* store
  const chain = yield* makeProvenChain(blocks, finalizedEpoch)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const cache = yield* run(chain, kept)
      yield* settle
      const { stage, stored } = yield* cache.backfill
      assert.deepStrictEqual([stage, stored], ["done", finalTiles.length * 32])
    })
  )
  assert.deepStrictEqual(yield* kept.tiles, finalTiles)
  return kept
})

const asked = ({ queries }: ProvenChain) =>
  queries.reduce((sum, { end, start }) => sum + Math.max(0, Math.min(end, 927) - start + 1), 0)

describe("ground truth on disk", () => {
  it.scoped("is what is final, and a second run asks the chain for no more than the rest", () =>
    Effect.gen(function* () {
      const kept = yield* filled
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      const cache = yield* run(chain, kept)
      yield* settle
      assert.deepInclude(yield* cache.progress, { known: slots - 31, wanted: slots - 31 })
      assert.deepStrictEqual(yield* told(cache), expected)
      // One block to hold the newest of it against, and what the follower asked for before it was read.
      assert.isAtMost(asked(chain), 128)
    })
  )

  it.scoped("gives whole blocks back that the memory has let go of", () =>
    Effect.gen(function* () {
      const kept = yield* filled
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      const cache = yield* run(chain, kept, { maxBytes: 50_000 })
      yield* settle
      chain.queries.length = 0
      assert.deepStrictEqual(yield* told(cache), expected)
      assert.deepStrictEqual(
        chain.queries.filter(({ start }) => start < 928),
        []
      )
      const facts = yield* cache.range({ start: 101, end: 101 })
      const block = blocks.find(({ slot }) => slot === 101)
      const [found] = facts
      assert.deepStrictEqual(found?._tag === "Block" ? found.block.commitments : [], block?.commitments)
    })
  )

  it.scoped("that is of another chain than the beacon node's is thrown away, and asked for anew", () =>
    Effect.gen(function* () {
      const kept = yield* filled
      const others = provenBlocks(2, slots)
      const chain = yield* makeProvenChain(others, finalizedEpoch)
      const cache = yield* run(chain, kept)
      yield* settle
      const roots = yield* told(cache)
      assert.deepStrictEqual(
        roots,
        expected.map(([slot]) => [slot, others.find((block) => block.slot === slot)?.root])
      )
      assert.deepStrictEqual(yield* kept.tiles, finalTiles)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.scoped("that is damaged is asked for anew, tile by tile", () =>
    Effect.gen(function* () {
      const kept = yield* filled
      const bytes = Option.getOrThrow(yield* kept.get(20))
      bytes[200] = (bytes[200] ?? 0) ^ 1
      yield* kept.put(20, bytes)
      yield* kept.remove(12)
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      const cache = yield* run(chain, kept)
      yield* settle
      assert.deepStrictEqual(yield* told(cache), expected)
      assert.isAtMost(asked(chain), 192)
      assert.deepStrictEqual(yield* kept.tiles, finalTiles)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.scoped("is not taken at its word while the chain does not answer, and is once it does", () =>
    Effect.gen(function* () {
      const kept = yield* filled
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      yield* Ref.set(chain.down, true)
      const building = yield* Effect.fork(run(chain, kept))
      yield* settle
      const cache = yield* building
      assert.deepInclude(yield* cache.progress, { known: 0 })
      assert.strictEqual((yield* cache.backfill).stage, "restoring")
      yield* Ref.set(chain.down, false)
      yield* settle
      assert.deepStrictEqual(yield* told(cache), expected)
      assert.isAtMost(asked(chain), 128 + 32 * 4)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.scoped("does not grow while two beacon nodes are on different chains", () =>
    Effect.gen(function* () {
      const kept = yield* store
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      const doubting = Layer.effectDiscard(
        Effect.flatMap(Doubts, (doubts) => doubts.set("beacon_finality", Option.some("they disagree")))
      )
      const cache = yield* run(chain, kept, { doubts: Layer.provideMerge(doubting, Doubts.layer) })
      yield* settle
      assert.deepInclude(yield* cache.progress, { known: slots - 31 })
      assert.deepStrictEqual(yield* kept.tiles, [])
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.scoped("is not tried tile by tile on a disk that takes nothing, and is there once it does", () =>
    Effect.gen(function* () {
      const kept = yield* store
      let isFull = true
      let tries = 0
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      const cache = yield* run(chain, {
        ...kept,
        put: (tile, bytes) => {
          tries++
          return isFull ? new CacheFileError({ reason: "the disk is full", mayBeWhole: true }) : kept.put(tile, bytes)
        }
      })
      yield* settle
      assert.isAtLeast(tries, 2)
      assert.isAtMost(tries, 6)
      assert.strictEqual((yield* cache.backfill).stored, 0)
      isFull = false
      yield* settle
      assert.deepStrictEqual(yield* kept.tiles, finalTiles)
      assert.strictEqual((yield* cache.backfill).stored, finalTiles.length * 32)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.scoped("is forgotten when it leaves the window", () =>
    Effect.gen(function* () {
      const kept = yield* filled
      const chain = yield* makeProvenChain(blocks, finalizedEpoch)
      yield* Layer.build(
        layer({ window: "320 seconds", mode: "background", pause: 0 }).pipe(
          Layer.provide([chain.layer, layerSeeded, Layer.succeed(TileStore, kept)])
        )
      )
      yield* settle
      assert.deepStrictEqual(
        yield* kept.tiles,
        finalTiles.filter((tile) => tile >= 21)
      )
    })
  )
})
