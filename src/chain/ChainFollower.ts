import { Duration, Effect, Queue, Schedule, Stream } from "effect"
import type { ChainEvent } from "../domain/network/Block.ts"
import { tileOf, tileRange } from "../domain/network/Tile.ts"
import { Externs } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import type { PatientLoader } from "./PatientLoader.ts"

/** Tiles that must be asked for again, and a bell that says so. */
export interface Worklist {
  readonly add: (tiles: ReadonlyArray<number>) => Effect.Effect<void>
  /** The newest tile that was not taken since it was added, or since the last `retry`. It stays on the list. */
  readonly take: () => number | undefined
  readonly remove: (tile: number) => void
  /** Lets every tile be taken again; gives how many there are. */
  readonly retry: () => number
  /** Returns when something was added since it returned last. */
  readonly bell: Effect.Effect<void>
}

export const makeWorklist: Effect.Effect<Worklist> = Effect.map(Queue.sliding<void>(1), (bell) => {
  const waiting = new Set<number>()
  const taken = new Set<number>()
  return {
    add: (tiles) =>
      Effect.suspend(() => {
        for (const tile of tiles) {
          taken.delete(tile)
          waiting.add(tile)
        }
        return tiles.length === 0 ? Effect.void : Effect.asVoid(bell.offer(undefined))
      }),
    take: () => {
      let newest: number | undefined
      for (const tile of waiting) if (newest === undefined || tile > newest) newest = tile
      if (newest === undefined) return undefined
      waiting.delete(newest)
      taken.add(newest)
      return newest
    },
    remove: (tile) => {
      taken.delete(tile)
    },
    retry: () => {
      for (const tile of taken) waiting.add(tile)
      taken.clear()
      return waiting.size
    },
    bell: bell.take
  }
})

/** Takes the chain's events into the memory, until they end. */
export const follow = Effect.fnUntraced(function* (memory: ChainMemory, worklist: Worklist) {
  const externs = yield* Externs
  const take = (event: ChainEvent): Effect.Effect<void> => {
    switch (event._tag) {
      case "Head":
        return worklist.add(advance(memory, event.head.slot, event.head.root))
      case "Reorg":
        return worklist.add(memory.doubt({ start: event.slot - event.depth + 1, end: event.slot }))
      case "Finalized":
        return Effect.sync(() => memory.setFinalized({ epoch: event.epoch, root: event.root }))
    }
  }
  yield* Stream.runForEach(externs.chainEvents, take)
})

/** Moves the head; gives the tiles with slots to be asked for. */
export const advance = (memory: ChainMemory, slot: number, root: string | undefined): ReadonlyArray<number> => {
  const before = memory.head()
  memory.setHead(slot)
  const stale = root !== undefined && memory.isKnown(slot) && memory.root(slot) !== root
  const tiles = stale ? [...memory.doubt({ start: slot, end: slot })] : []
  // What lies further back than that is for the backfill.
  for (let tile = Math.max(tileOf(before), tileOf(slot) - maxGap, 0); tile <= tileOf(slot); tile++) {
    tiles.push(tile)
  }
  return tiles
}

/** Tiles behind the head that are caught up with at once when the head jumps: 1,024 slots. */
const maxGap = 32

/** Asks for what is on the worklist, again and again with a growing pause until it is done with; runs for ever. */
export const heal = (memory: ChainMemory, loader: PatientLoader, worklist: Worklist): Effect.Effect<never> => {
  const round = Effect.gen(function* () {
    // Tiles whose blocks do not link put each other in doubt again and again: each has one turn in a round.
    const asked = new Set<number>()
    for (let tile = worklist.take(); tile !== undefined; tile = worklist.take()) {
      if (asked.has(tile)) continue
      asked.add(tile)
      const isWanted = tileRange(tile).end >= memory.window().start
      // Failures are counted and told of by the loader.
      if (isWanted) yield* loader.attempt(tile)
      if (memory.isComplete(tile)) worklist.remove(tile)
    }
    return worklist.retry() === 0
  })
  return Effect.flatMap(Schedule.driver(healing), (pause) =>
    Effect.forever(
      Effect.flatMap(round, (done) =>
        done
          ? Effect.zipRight(pause.reset, worklist.bell)
          : Effect.zipRight(
              Effect.sleep(atLeast),
              Effect.race(
                Effect.orElseSucceed(pause.next(undefined), () => 0),
                worklist.bell
              )
            )
      )
    )
  )
}

/** Between two rounds, whatever is heard meanwhile: a chain that contradicts itself is not asked without a pause. */
const atLeast = Duration.millis(250)

const healing = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("10 seconds")),
  Schedule.jittered
)
