import { Duration, Effect, Either, Option, Schedule, type Scope } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import { type ChainParameters, epochStart, type SlotRange } from "../../domain/network/Chain.ts"
import { tileOf, tileRange, tileSlots } from "../../domain/network/Tile.ts"
import { makeToldOnce } from "../../history/store/sqlite/CacheFile.ts"
import { Externs } from "../../host/Externs.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { Doubts } from "../../runtime/Doubts.ts"
import { makeYielder } from "../../runtime/YieldNow.ts"
import type { ChainMemory } from "../ChainMemory.ts"
import { decodeTile, encodeTile, isProven } from "./TileCodec.ts"
import { TileStore } from "./TileStore.ts"

/** What of the ground truth is on disk, and the way of it there and back. */
export interface KeptTruth {
  /**
   * Takes what is on disk into the memory, from the newest tile down, as far as it is known to be of the chain: linked to
   * what the memory has above it, or confirmed by the chain. The head must be known. `recent` is run when the tiles near
   * the head are through.
   */
  readonly restore: (recent: Effect.Effect<void>) => Effect.Effect<Restored>
  /** The blocks of a tile that the memory knows but has let go of; they are back in it then, as far as it holds them. */
  readonly reload: (tile: number) => Effect.Effect<Option.Option<ReadonlyArray<Block>>>
  /** Slots that are on disk. */
  readonly slots: () => number
}

/** Whether that was all, or some of it can be told to be of the chain later only, or the chain does not answer. */
export type Restored = "whole" | "partly" | "away"

/**
 * Keeps the final tiles of the memory on disk for as long as the scope is open, and forgets those that leave the window;
 * nothing is kept while the chain itself is in doubt. `onDoubt` is told of tiles in which what was read shows slots to be
 * wrong. Where there is no `TileStore` nothing is kept at all. What the disk does not take is told once, and tried again
 * later each time.
 */
export const makeKeptTruth = Effect.fnUntraced(function* (
  chain: ChainParameters,
  memory: ChainMemory,
  onDoubt: (tiles: ReadonlyArray<number>) => Effect.Effect<void>
): Effect.fn.Return<KeptTruth, never, Externs | Scope.Scope> {
  const found = yield* Effect.serviceOption(TileStore)
  if (Option.isNone(found)) return nothingKept
  const store = found.value
  const { chainHead, chainQuery } = yield* Externs
  const doubts = yield* Doubts
  const yieldNow = makeYielder(5)
  const onDisk = new Set<number>()
  /** Those on disk that are as the memory has them, with the stamp that it had of them. */
  const kept = new Map<number, number>()
  /** Those that cannot be kept as they are in memory, with their stamps. */
  const unkeepable = new Map<number, number>()
  const { heeded, tell } = makeToldOnce("ground truth on disk")

  const drop = (tile: number, why: string) =>
    Effect.zipRight(
      Effect.logInfo(`tile ${tile} of the ground truth on disk is thrown away: ${why}`),
      Effect.zipRight(
        heeded(store.remove(tile), undefined),
        Effect.sync(() => {
          onDisk.delete(tile)
          kept.delete(tile)
        })
      )
    )
  const read = Effect.fnUntraced(function* (tile: number) {
    const bytes = yield* heeded(store.get(tile), Option.none())
    if (Option.isNone(bytes)) return Option.none<ReadonlyArray<Block>>()
    const blocks = decodeTile(tile, bytes.value)
    if (Either.isRight(blocks)) return Option.some(blocks.right)
    yield* drop(tile, blocks.left)
    return Option.none<ReadonlyArray<Block>>()
  })

  /** Whether the newest block of a tile is one of the chain: then so are all that it is linked to. */
  const belongs = Effect.fnUntraced(function* (tile: number, blocks: ReadonlyArray<Block>) {
    const newest = blocks.at(-1)
    const link = memory.linkAbove(tileRange(tile).end)
    // A tile without blocks is proven by the link over it, when the tile below it is held against that.
    if (newest === undefined) return link === undefined ? "unknown" : "yes"
    if (link !== undefined) return link === newest.root ? "yes" : "no"
    const { slot } = newest
    const told = yield* Effect.either(
      Effect.suspend(() => chainQuery({ start: slot, end: slot })).pipe(
        Effect.disconnect,
        Effect.timeout(questionLimit)
      )
    )
    if (Either.isLeft(told)) return "unknown"
    return told.right[0]?.root === newest.root ? "yes" : "no"
  })

  const restoreTile = Effect.fnUntraced(function* (tile: number): Effect.fn.Return<Restored> {
    if (memory.isComplete(tile)) return "whole"
    const stamp = memory.stamp(tile)
    const blocks = yield* read(tile)
    if (Option.isNone(blocks)) return "whole"
    const answer = yield* belongs(tile, blocks.value)
    if (answer === "unknown") return (yield* Effect.isSuccess(chainHead)) ? "partly" : "away"
    if (answer === "no") yield* drop(tile, "it is of another chain than the beacon node's")
    else if (stamp === memory.stamp(tile)) {
      yield* onDoubt(memory.store(tileRange(tile), blocks.value))
      kept.set(tile, memory.stamp(tile))
    }
    return "whole"
  })
  const restore = Effect.fnUntraced(function* (recent: Effect.Effect<void>): Effect.fn.Return<Restored> {
    for (const tile of yield* heeded(store.tiles, [])) {
      onDisk.add(tile)
      const { end, start } = memory.window()
      if (tile < tileOf(start) || tileRange(tile).end > end) continue
      if (tile < tileOf(end) - recentTiles) yield* recent
      const result = yield* restoreTile(tile)
      // Nor can the chain tell of what lies below it, but for what is linked to what the memory has by then.
      if (result !== "whole") return result
      yield* yieldNow
    }
    return "whole"
  })

  const reload = Effect.fnUntraced(function* (tile: number) {
    if (!onDisk.has(tile) || !memory.isComplete(tile)) return Option.none()
    const stamp = memory.stamp(tile)
    const blocks = yield* read(tile)
    if (Option.isNone(blocks) || stamp !== memory.stamp(tile)) return Option.none()
    const roots = new Map(blocks.value.map((block) => [block.slot, block.root]))
    const range = tileRange(tile)
    for (let slot = range.start; slot <= range.end; slot++) {
      if (memory.isKnown(slot) && memory.root(slot) !== roots.get(slot)) return Option.none()
    }
    yield* onDoubt(memory.store(range, blocks.value))
    return blocks
  })

  const keep = Effect.fnUntraced(function* (tile: number) {
    const stamp = memory.stamp(tile)
    const blocks = blocksOf(memory, tileRange(tile))
    if (blocks === undefined || !blocks.every(isProven)) return void unkeepable.set(tile, stamp)
    yield* store.put(tile, encodeTile(blocks))
    onDisk.add(tile)
    kept.set(tile, stamp)
    yield* yieldNow
  })
  const forget = Effect.fnUntraced(function* (oldest: number) {
    for (const known of [kept, unkeepable, onDisk]) {
      for (const tile of known.keys()) if (tile < oldest) known.delete(tile)
    }
    yield* store.prune(oldest, mostPruned)
  })
  const pass = Effect.gen(function* () {
    if (memory.head() < 0 || Option.isSome(yield* doubts.forbids)) return
    const window = memory.window()
    // First, so that there is room for what comes.
    yield* forget(tileOf(window.start))
    const final = Option.match(memory.finalized(), {
      onNone: () => -1,
      onSome: ({ epoch }) => epochStart(chain, epoch)
    })
    const oldest = tileOf(window.start + tileSlots - 1)
    for (let tile = tileOf(Math.min(final, window.end) + 1) - 1; tile >= oldest; tile--) {
      const stamp = memory.stamp(tile)
      if (kept.get(tile) === stamp || unkeepable.get(tile) === stamp || !memory.isComplete(tile)) continue
      yield* keep(tile)
    }
  })
  // What ails the disk ails it for the next tile too.
  const patientPass = pass.pipe(Effect.tapError(tell), Effect.retry(diskRetries))
  yield* daemon("keeping of the ground truth", patientPass, Schedule.spaced(passInterval))

  return { restore, reload, slots: () => onDisk.size * tileSlots }
})

const nothingKept: KeptTruth = {
  restore: () => Effect.succeed("whole" as const),
  reload: () => Effect.succeedNone,
  slots: () => 0
}

/** So many tiles behind the head are near it. */
const recentTiles = 40
const questionLimit = Duration.seconds(30)
const passInterval = Duration.seconds(2)
const diskRetries = Schedule.exponential(passInterval).pipe(
  Schedule.union(Schedule.spaced("5 minutes")),
  Schedule.jittered
)
/** Of one pass. */
const mostPruned = 64

/** The whole blocks of a range whose slots are all known; `undefined` where the memory has let go of one. */
const blocksOf = (memory: ChainMemory, { end, start }: SlotRange): ReadonlyArray<Block> | undefined => {
  const blocks: Array<Block> = []
  for (let slot = start; slot <= end; slot++) {
    const facts = memory.facts(slot)
    if (facts === undefined) return undefined
    if (facts._tag === "Block") blocks.push(facts.block)
  }
  return blocks
}
