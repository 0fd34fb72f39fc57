import { Clock, Duration, Effect, Option } from "effect"
import type { SlotRange } from "../domain/network/Chain.ts"
import { tileRange, tilesOf } from "../domain/network/Tile.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"

/**
 * Tells in the log how much ground truth the chain does not give and why: at once, then at most every five minutes, and
 * only when there is more of it, however many questions fail and succeed in turn; and when nothing is lacking any more.
 * A chain that gives nothing before a certain slot, as that of a node which was synced from a checkpoint, is told of
 * once, with that slot, as soon as it is sure.
 */
export interface GapReport {
  readonly failed: (range: SlotRange, error: ExternsError) => Effect.Effect<void>
  readonly answered: Effect.Effect<void>
}

export const makeGapReport = (memory: ChainMemory): GapReport => {
  /** Tiles that were asked for in vain. */
  const gaps = new Set<number>()
  /** Why the chain may begin with the oldest slot that is known, and when that was first so. */
  let beginning: { readonly since: number; readonly why: string } | undefined
  let isBeginningTold = false
  let toldSlots = 0
  let isTold = false
  let toldAt = -Infinity

  /** Drops the gaps that are closed, as far as the first that is not. */
  const isClosed = (): boolean => {
    for (const tile of gaps) {
      if (!memory.isComplete(tile)) return false
      gaps.delete(tile)
    }
    return true
  }
  const tellBeginning = Effect.gen(function* () {
    if (beginning === undefined || isBeginningTold) return
    const now = yield* Clock.currentTimeMillis
    const oldest = Option.getOrUndefined(memory.extent().oldest)
    if (oldest === undefined || now - beginning.since < sureMs) return
    isBeginningTold = true
    isTold = true
    const { start } = memory.window()
    yield* Effect.logWarning(
      `the oldest slot that the chain gives is ${oldest}: ground truth is missing for the ${oldest - start} slots before ` +
        `it that would be of interest (from ${start}), and nobody is judged by them; they are asked for again now and ` +
        `then: ${beginning.why}`
    )
  })
  return {
    failed: Effect.fnUntraced(function* (range, { message }) {
      for (const tile of tilesOf(range)) if (!memory.isComplete(tile)) gaps.add(tile)
      const now = yield* Clock.currentTimeMillis
      const missing = missingSlots(memory, gaps)
      if (isBefore(memory, missing)) {
        beginning ??= { since: now, why: message }
        yield* Effect.logDebug(message)
        return yield* tellBeginning
      }
      const isNews = missing.length > toldSlots || missing.length === 0
      if (now - toldAt < toldEveryMs || !isNews) return yield* Effect.logDebug(message)
      isTold = true
      toldAt = now
      toldSlots = missing.length
      yield* Effect.logWarning(`ground truth is missing${extentOf(missing)}: ${message}`)
    }),
    answered: Effect.suspend(() => {
      if (!isClosed()) return tellBeginning
      toldSlots = 0
      beginning = undefined
      isBeginningTold = false
      if (!isTold) return Effect.void
      isTold = false
      return Effect.logInfo("the chain answers again, and nothing is missing")
    })
  }
}

/** The slots of the tiles that are not known, ascending. */
const missingSlots = (memory: ChainMemory, tiles: Iterable<number>): ReadonlyArray<number> => {
  const window = memory.window()
  const slots: Array<number> = []
  for (const tile of [...tiles].sort((a, b) => a - b)) {
    const { end, start } = tileRange(tile)
    for (let slot = Math.max(start, window.start); slot <= Math.min(end, window.end); slot++) {
      if (!memory.isKnown(slot)) slots.push(slot)
    }
  }
  return slots
}

/** Whether something is known, and nothing of it is older than what is missing. */
const isBefore = (memory: ChainMemory, missing: ReadonlyArray<number>): boolean => {
  const last = missing.at(-1)
  return last !== undefined && Option.exists(memory.extent().oldest, (oldest) => last < oldest)
}

const extentOf = (slots: ReadonlyArray<number>): string =>
  slots.length === 0 ? "" : ` for ${slots.length} slots (${slots.at(0)} to ${slots.at(-1)})`

/** What is asked for at the same time may be on its way. */
const sureMs = Duration.toMillis("5 seconds")
const toldEveryMs = Duration.toMillis("5 minutes")
