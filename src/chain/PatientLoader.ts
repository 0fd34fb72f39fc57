import { Clock, Effect } from "effect"
import { tileOf, tileRange } from "../domain/network/Tile.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"
import type { TileLoader } from "./TileLoader.ts"

/**
 * How asking for a tile in the background went: `resting` was not asked at all, `away` is a chain that does not even
 * tell its head.
 */
type Attempt = "answered" | "failed" | "away" | "resting"

/**
 * Asks for tiles that nobody waits for, and leaves those alone that the chain does not give: for longer each time, while
 * the chain as such answers. Below three in a row of which it gives nothing, nothing is asked for: a node that was synced
 * from a checkpoint has no older ones, and says so in time by giving the newest of the three.
 */
export interface PatientLoader {
  readonly attempt: (tile: number) => Effect.Effect<Attempt>
}

interface Rest {
  readonly until: number
  readonly lastMs: number
  /** Nothing of the tile is known. */
  readonly isEmpty: boolean
}

export const makePatientLoader = (
  memory: ChainMemory,
  loader: TileLoader,
  askHead: Effect.Effect<void, ExternsError>
): PatientLoader => {
  const rests = new Map<number, Rest>()
  let answeredAt = -Infinity

  const isEmpty = (tile: number): boolean => {
    const { end, start } = tileRange(tile)
    for (let slot = start; slot <= end; slot++) if (memory.isKnown(slot)) return false
    return true
  }
  const isGone = (tile: number): boolean => rests.get(tile)?.isEmpty === true && isEmpty(tile)
  /** Whether so many tiles in a row that lie above it are gone. */
  const isBelowFloor = (tile: number): boolean => {
    for (const above of rests.keys()) {
      if (above > tile && Array.from({ length: floorTiles }, (_, index) => above + index).every(isGone)) return true
    }
    return false
  }
  const rest = (tile: number, now: number): void => {
    const before = rests.get(tile)
    // Two may have waited for the same answer.
    if (before !== undefined && before.until > now) return
    const longest = tile >= tileOf(memory.head()) - 1 ? longestNewMs : longestMs
    const lastMs = before === undefined ? firstMs : Math.min(longest, Math.max(before.lastMs * 2, secondMs))
    rests.set(tile, { until: now + lastMs, lastMs, isEmpty: isEmpty(tile) })
    for (const one of rests.keys()) if (tileRange(one).end < memory.window().start) rests.delete(one)
  }
  /** A chain that gave no block at all for a while was ill: what failed meanwhile was not the tiles' matter. */
  const answered = (tile: number, now: number): void => {
    rests.delete(tile)
    if (now - answeredAt > illnessMs) rests.clear()
    answeredAt = now
  }

  return {
    attempt: Effect.fnUntraced(function* (tile) {
      const asked = yield* Clock.currentTimeMillis
      if ((rests.get(tile)?.until ?? 0) > asked || isBelowFloor(tile)) return "resting"
      if (answeredAt === -Infinity) answeredAt = asked
      const isGiven = yield* Effect.isSuccess(loader.load(tile))
      if (isGiven) {
        answered(tile, yield* Clock.currentTimeMillis)
        return "answered"
      }
      if (!(yield* Effect.isSuccess(askHead))) return "away"
      rest(tile, yield* Clock.currentTimeMillis)
      return "failed"
    })
  }
}

/** 96 slots. */
const floorTiles = 3
/** What failed by chance comes soon. */
const firstMs = 2_000
const secondMs = 15_000
const longestMs = 10 * 60_000
/** For the newest blocks, with which the chain may have to come to terms. */
const longestNewMs = 15_000
const illnessMs = 30_000
