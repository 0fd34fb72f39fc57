import { Clock, Duration, Effect } from "effect"
import type { SlotRange } from "../domain/network/Chain.ts"
import { tileRange, tilesOf } from "../domain/network/Tile.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"

/**
 * Tells in the log how much ground truth the chain does not give and why: at once, then at most every five minutes,
 * however many questions fail and succeed in turn; and when nothing is lacking any more.
 */
export interface GapReport {
  readonly failed: (range: SlotRange, error: ExternsError) => Effect.Effect<void>
  readonly answered: Effect.Effect<void>
}

export const makeGapReport = (memory: ChainMemory): GapReport => {
  /** Tiles that were asked for in vain. */
  const gaps = new Set<number>()
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
  return {
    failed: Effect.fnUntraced(function* (range, { message }) {
      for (const tile of tilesOf(range)) if (!memory.isComplete(tile)) gaps.add(tile)
      const now = yield* Clock.currentTimeMillis
      if (now - toldAt < toldEveryMs) return yield* Effect.logDebug(message)
      isTold = true
      toldAt = now
      yield* Effect.logWarning(`ground truth is missing${extentOf(memory, gaps)}: ${message}`)
    }),
    answered: Effect.suspend(() => {
      if (!isTold || !isClosed()) return Effect.void
      isTold = false
      return Effect.logInfo("the chain answers again, and nothing is missing")
    })
  }
}

/** How many slots of the tiles are not known, and where they are. */
const extentOf = (memory: ChainMemory, tiles: Iterable<number>): string => {
  const window = memory.window()
  const slots: Array<number> = []
  for (const tile of tiles) {
    const { end, start } = tileRange(tile)
    for (let slot = Math.max(start, window.start); slot <= Math.min(end, window.end); slot++) {
      if (!memory.isKnown(slot)) slots.push(slot)
    }
  }
  if (slots.length === 0) return ""
  const [first, last] = slots.reduce(([low, high], slot) => [Math.min(low, slot), Math.max(high, slot)], [Infinity, 0])
  return ` for ${slots.length} slots (${first} to ${last})`
}

const toldEveryMs = Duration.toMillis("5 minutes")
