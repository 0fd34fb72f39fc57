import { Deferred, Effect, FiberSet, Metric } from "effect"
import type { Block, SlotFacts } from "../domain/network/Block.ts"
import type { SlotRange } from "../domain/network/Chain.ts"
import { tileRange, tilesOf } from "../domain/network/Tile.ts"
import { chainQueryFailures } from "../domain/metrics/Metrics.ts"
import { Externs, ExternsError } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import { makeGapReport } from "./GapReport.ts"

/** Asks the chain for what the memory lacks: once for each tile however many wait for it, a few tiles at a time. */
export interface TileLoader {
  /**
   * Makes the slots of the tile known, up to the head, and `asked` among them (if given) present as whole blocks. Gives
   * what the chain said, by slot; another who asked first may have left slots of `asked` out.
   */
  readonly load: (tile: number, asked?: SlotRange) => Effect.Effect<ReadonlyMap<number, SlotFacts>, ExternsError>
  /** Asks for exactly this range, whatever is known, and takes the answer into the memory. */
  readonly ask: (range: SlotRange) => Effect.Effect<ReadonlyMap<number, SlotFacts>, ExternsError>
}

/** Tiles that are asked for at once. */
const concurrency = 3
/** Answers that a reorg made worthless, before it is given up. */
const maxRepeats = 5

/** `onDoubt` is told of tiles in which an answer showed slots to be wrong. */
export const makeTileLoader = Effect.fnUntraced(function* (
  memory: ChainMemory,
  onDoubt: (tiles: ReadonlyArray<number>) => Effect.Effect<void>
) {
  const externs = yield* Externs
  const fibers = yield* FiberSet.make()
  const permits = yield* Effect.makeSemaphore(concurrency)
  const gaps = makeGapReport(memory)
  const flights = new Map<number, Deferred.Deferred<ReadonlyMap<number, SlotFacts>, ExternsError>>()

  const query = (range: SlotRange) =>
    externs.chainQuery(range).pipe(
      permits.withPermits(1),
      Effect.tapBoth({
        onSuccess: () => gaps.answered,
        onFailure: (error) => Effect.zipRight(Metric.increment(chainQueryFailures), gaps.failed(range, error))
      })
    )

  const ask: TileLoader["ask"] = Effect.fnUntraced(function* (range) {
    const stamps = () => tilesOf(range).map(memory.stamp).join()
    for (let repeat = 0; repeat < maxRepeats; repeat++) {
      const before = stamps()
      const blocks = yield* query(range)
      if (stamps() !== before) continue
      const doubted = memory.store(range, blocks)
      if (doubted.length > 0) yield* onDoubt(doubted)
      return bySlot(range, blocks)
    }
    return yield* new ExternsError({
      operation: `blocks ${range.start}..${range.end}`,
      reason: `the chain changed ${maxRepeats} times while it was asked`
    })
  })

  const lacking = (tile: number, asked: SlotRange): SlotRange => {
    const { end, start } = tileRange(tile)
    const window = memory.window()
    let span = { start: Infinity, end: -Infinity }
    for (let slot = Math.max(start, window.start); slot <= Math.min(end, window.end); slot++) {
      const within = slot >= asked.start && slot <= asked.end
      if (within ? memory.facts(slot) !== undefined : memory.isKnown(slot)) continue
      span = { start: Math.min(span.start, slot), end: slot }
    }
    return span
  }

  const load: TileLoader["load"] = (tile, asked = nothing) =>
    Effect.suspend(() => {
      const flight = flights.get(tile)
      if (flight !== undefined) return Deferred.await(flight)
      const range = lacking(tile, asked)
      if (range.start > range.end) return Effect.succeed(new Map<number, SlotFacts>())
      return Effect.flatMap(Deferred.make<ReadonlyMap<number, SlotFacts>, ExternsError>(), (made) => {
        flights.set(tile, made)
        const flown = Effect.onExit(ask(range), (exit) =>
          Effect.zipRight(
            Effect.sync(() => flights.delete(tile)),
            Deferred.done(made, exit)
          )
        )
        return Effect.zipRight(FiberSet.run(fibers, flown), Deferred.await(made))
      })
    })

  const loader: TileLoader = { load, ask }
  return loader
})

const nothing: SlotRange = { start: 0, end: -1 }

const bySlot = (range: SlotRange, blocks: ReadonlyArray<Block>): ReadonlyMap<number, SlotFacts> => {
  const facts = new Map<number, SlotFacts>()
  for (let slot = range.start; slot <= range.end; slot++) facts.set(slot, { _tag: "Empty", slot })
  for (const block of blocks) facts.set(block.slot, { _tag: "Block", block })
  return facts
}
