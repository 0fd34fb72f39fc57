import { Deferred, Duration, Effect, Either, FiberId, FiberSet, Metric, Option } from "effect"
import type { Block, SlotFacts } from "../domain/network/Block.ts"
import type { SlotRange } from "../domain/network/Chain.ts"
import { tileRange, tilesOf } from "../domain/network/Tile.ts"
import { chainQueryFailures } from "../domain/metrics/Metrics.ts"
import { Externs, ExternsError } from "../host/Externs.ts"
import { makeGuard } from "../runtime/Guard.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import { makeGapReport } from "./GapReport.ts"

/** Asks the chain for what the memory lacks: once for each tile however many wait for it, a few tiles at a time. */
export interface TileLoader {
  /**
   * Makes the slots of the tile known, up to the head, and `asked` among them (if given) present as whole blocks. Gives
   * what the chain said, by slot; another who asked first may have left slots of `asked` out. What is proven is kept
   * though it fails: see `provenFacts`.
   */
  readonly load: (tile: number, asked?: SlotRange) => Effect.Effect<ReadonlyMap<number, SlotFacts>, ExternsError>
  /** Asks for exactly this range, whatever is known, and takes the answer into the memory. */
  readonly ask: (range: SlotRange) => Effect.Effect<ReadonlyMap<number, SlotFacts>, ExternsError>
}

/** Tiles that are asked for at once. */
const concurrency = 3
/** A host that does not answer at all must not keep a permit. */
const questionLimit = Duration.minutes(2)
/** Answers that a reorg made worthless, before it is given up. */
const maxRepeats = 5

/**
 * `onDoubt` is told of tiles in which an answer showed slots to be wrong. `reload` gives the blocks of a tile
 * that the memory knows but has let go of, without asking the chain, where it can. Whatever the host's code does, those who
 * wait get an answer or an `ExternsError`.
 */
export const makeTileLoader = Effect.fnUntraced(function* (
  memory: ChainMemory,
  onDoubt: (tiles: ReadonlyArray<number>) => Effect.Effect<void>,
  reload: (tile: number) => Effect.Effect<Option.Option<ReadonlyArray<Block>>>
) {
  const externs = yield* Externs
  const guard = yield* makeGuard("asking the chain for blocks", { isShown: true })
  const fibers = yield* FiberSet.make()
  const permits = yield* Effect.makeSemaphore(concurrency)
  const gaps = makeGapReport(memory)
  const flights = new Map<number, Deferred.Deferred<ReadonlyMap<number, SlotFacts>, ExternsError>>()

  /** None when the chain changed meanwhile. */
  const attempt = Effect.fnUntraced(function* (range: SlotRange) {
    const stamps = () => tilesOf(range).map(memory.stamp).join()
    const before = stamps()
    const answer = yield* permits.withPermits(1)(
      Effect.suspend(() => externs.chainQuery(range)).pipe(
        Effect.disconnect,
        Effect.timeoutFail({
          duration: questionLimit,
          onTimeout: () =>
            new ExternsError({
              operation: `blocks ${range.start}..${range.end}`,
              reason: `no answer within ${Duration.format(questionLimit)}`
            })
        }),
        Effect.either
      )
    )
    const parts = Either.match(answer, {
      onLeft: ({ proven }) => proven ?? [],
      onRight: (blocks) => [{ range, blocks }]
    })
    const isCurrent = stamps() === before
    if (isCurrent) {
      const doubted = parts.flatMap((part) => memory.store(part.range, part.blocks))
      if (doubted.length > 0) yield* onDoubt(doubted)
    }
    if (Either.isLeft(answer)) return yield* answer.left
    return isCurrent ? Option.some(bySlot(range, answer.right)) : Option.none()
  })

  const ask: TileLoader["ask"] = Effect.fnUntraced(function* (range) {
    const operation = `blocks ${range.start}..${range.end}`
    const guarded = guard(
      attempt(range),
      (reason) => new ExternsError({ operation, reason: `died of a bug: ${reason}` })
    ).pipe(
      Effect.tapBoth({
        onSuccess: () => gaps.answered,
        onFailure: (error) => Effect.zipRight(Metric.increment(chainQueryFailures), gaps.failed(range, error))
      })
    )
    for (let repeat = 0; repeat < maxRepeats; repeat++) {
      const facts = yield* guarded
      if (Option.isSome(facts)) return facts.value
    }
    return yield* new ExternsError({ operation, reason: `the chain changed ${maxRepeats} times while it was asked` })
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

  const fetch = (tile: number, range: SlotRange) =>
    Effect.flatMap(
      reload(tile),
      Option.match({
        onNone: () => ask(range),
        onSome: (blocks) =>
          Effect.succeed(
            bySlot(
              range,
              blocks.filter(({ slot }) => slot >= range.start && slot <= range.end)
            )
          )
      })
    )

  const load: TileLoader["load"] = (tile, asked = nothing) =>
    // Nobody may find a flight that never took off.
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const underWay = flights.get(tile)
        if (underWay !== undefined) return restore(Deferred.await(underWay))
        const range = lacking(tile, asked)
        if (range.start > range.end) return Effect.succeed(new Map<number, SlotFacts>())
        const flight = Deferred.unsafeMake<ReadonlyMap<number, SlotFacts>, ExternsError>(FiberId.none)
        flights.set(tile, flight)
        const flown = Effect.onExit(fetch(tile, range), (exit) =>
          Effect.zipRight(
            Effect.sync(() => flights.delete(tile)),
            Deferred.done(flight, exit)
          )
        )
        return Effect.zipRight(FiberSet.run(fibers, Effect.interruptible(flown)), restore(Deferred.await(flight)))
      })
    )

  const loader: TileLoader = { load, ask }
  return loader
})

const nothing: SlotRange = { start: 0, end: -1 }

/** What the chain can tell of a range that it cannot tell whole. */
export const provenFacts = ({ proven }: ExternsError): ReadonlyMap<number, SlotFacts> =>
  new Map((proven ?? []).flatMap(({ blocks, range }) => [...bySlot(range, blocks)]))

const bySlot = (range: SlotRange, blocks: ReadonlyArray<Block>): ReadonlyMap<number, SlotFacts> => {
  const facts = new Map<number, SlotFacts>()
  for (let slot = range.start; slot <= range.end; slot++) facts.set(slot, { _tag: "Empty", slot })
  for (const block of blocks) facts.set(block.slot, { _tag: "Block", block })
  return facts
}
