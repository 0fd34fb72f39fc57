import { Effect, Queue, Schedule, Stream } from "effect"
import type { ChainEvent } from "../domain/network/Block.ts"
import { Externs } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import { chunkOf, chunkRange } from "./ChainMemory.ts"
import type { ChunkLoader } from "./ChunkLoader.ts"

/** Chunks that must be asked for again, and a bell that says so. */
export interface Worklist {
  readonly add: (chunks: ReadonlyArray<number>) => Effect.Effect<void>
  /** The newest chunk that was not taken since it was added, or since the last `retry`. It stays on the list. */
  readonly take: () => number | undefined
  readonly remove: (chunk: number) => void
  /** Lets every chunk be taken again; gives how many there are. */
  readonly retry: () => number
  /** Returns when something was added since it returned last. */
  readonly bell: Effect.Effect<void>
}

export const makeWorklist: Effect.Effect<Worklist> = Effect.map(Queue.sliding<void>(1), (bell) => {
  const waiting = new Set<number>()
  const taken = new Set<number>()
  return {
    add: (chunks) =>
      Effect.suspend(() => {
        for (const chunk of chunks) {
          taken.delete(chunk)
          waiting.add(chunk)
        }
        return chunks.length === 0 ? Effect.void : Effect.asVoid(bell.offer(undefined))
      }),
    take: () => {
      let newest: number | undefined
      for (const chunk of waiting) if (newest === undefined || chunk > newest) newest = chunk
      if (newest === undefined) return undefined
      waiting.delete(newest)
      taken.add(newest)
      return newest
    },
    remove: (chunk) => {
      taken.delete(chunk)
    },
    retry: () => {
      for (const chunk of taken) waiting.add(chunk)
      taken.clear()
      return waiting.size
    },
    bell: bell.take
  }
})

/** Takes the chain's events into the memory; runs for ever. */
export const follow = Effect.fnUntraced(function* (memory: ChainMemory, worklist: Worklist) {
  const externs = yield* Externs
  const take = (event: ChainEvent): Effect.Effect<void> => {
    switch (event._tag) {
      case "Head":
        return worklist.add(advance(memory, event.head.slot, event.head.root))
      case "Reorg":
        return worklist.add(memory.doubt({ start: event.slot - event.depth + 1, end: event.slot }))
      case "Finalized":
        return Effect.void
    }
  }
  yield* Stream.runForEach(externs.chainEvents, take).pipe(
    // The stream is made to go on for ever; one that ends or breaks is run again.
    Effect.sandbox,
    Effect.tapError((cause) => Effect.logError("the chain's events broke off", cause)),
    Effect.ignore,
    Effect.repeat(Schedule.spaced("1 second"))
  )
})

/** Moves the head; gives the chunks with slots to be asked for. */
export const advance = (memory: ChainMemory, slot: number, root: string | undefined): ReadonlyArray<number> => {
  const before = memory.head()
  memory.setHead(slot)
  const stale = root !== undefined && memory.isKnown(slot) && memory.root(slot) !== root
  const chunks = stale ? [...memory.doubt({ start: slot, end: slot })] : []
  // What lies further back than that is for the backfill.
  for (let chunk = Math.max(chunkOf(before), chunkOf(slot) - maxGap, 0); chunk <= chunkOf(slot); chunk++) {
    chunks.push(chunk)
  }
  return chunks
}

/** Chunks behind the head that are caught up with at once when the head jumps: 1,024 slots. */
const maxGap = 32

/** Asks for what is on the worklist, again and again with a growing pause until it is done with; runs for ever. */
export const heal = (memory: ChainMemory, loader: ChunkLoader, worklist: Worklist): Effect.Effect<never> => {
  const round = Effect.gen(function* () {
    for (let chunk = worklist.take(); chunk !== undefined; chunk = worklist.take()) {
      const isWanted = chunkRange(chunk).end >= memory.window().start
      // Failures are counted and told of by the loader.
      if (isWanted) yield* Effect.ignore(loader.load(chunk, nothing))
      if (isComplete(memory, chunk)) worklist.remove(chunk)
    }
    return worklist.retry() === 0
  })
  return Effect.flatMap(Schedule.driver(healing), (pause) =>
    Effect.forever(
      Effect.flatMap(round, (done) =>
        done
          ? Effect.zipRight(pause.reset, worklist.bell)
          : Effect.race(
              Effect.orElseSucceed(pause.next(undefined), () => 0),
              worklist.bell
            )
      )
    )
  )
}

const healing = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("10 seconds")),
  Schedule.jittered
)

const nothing = { start: 0, end: -1 }

/** Whether every slot of the chunk that is in the window is known. */
export const isComplete = (memory: ChainMemory, chunk: number): boolean => {
  const { end, start } = chunkRange(chunk)
  const window = memory.window()
  for (let slot = Math.max(start, window.start); slot <= Math.min(end, window.end); slot++) {
    if (!memory.isKnown(slot)) return false
  }
  return true
}
