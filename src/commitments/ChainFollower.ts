import { Effect, Queue, Schedule, Stream } from "effect"
import type { ChainEvent } from "../domain/Block.ts"
import { Externs } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import { chunkOf, chunkRange } from "./ChainMemory.ts"
import type { ChunkLoader } from "./ChunkLoader.ts"

/** Chunks that must be asked for again, and a bell that says so. */
export interface Worklist {
  readonly add: (chunks: ReadonlyArray<number>) => Effect.Effect<void>
  /** Newest first. */
  readonly all: () => ReadonlyArray<number>
  readonly remove: (chunk: number) => void
  /** Returns when something was added since it returned last. */
  readonly bell: Effect.Effect<void>
}

export const makeWorklist: Effect.Effect<Worklist> = Effect.map(Queue.sliding<void>(1), (bell) => {
  const chunks = new Set<number>()
  return {
    add: (more) =>
      Effect.suspend(() => {
        for (const chunk of more) chunks.add(chunk)
        return more.length === 0 ? Effect.void : Effect.asVoid(bell.offer(undefined))
      }),
    all: () => [...chunks].sort((a, b) => b - a),
    remove: (chunk) => {
      chunks.delete(chunk)
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
    for (const chunk of worklist.all()) {
      const range = chunkRange(chunk)
      if (range.end < memory.window().start) worklist.remove(chunk)
      // Failures are counted and told of by the loader.
      else yield* Effect.ignore(loader.load(chunk, nothing))
      if (isComplete(memory, chunk)) worklist.remove(chunk)
    }
    return worklist.all().length === 0
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
