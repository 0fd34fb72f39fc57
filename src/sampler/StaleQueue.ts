import { tileOf } from "../domain/network/Tile.ts"
import type { SlotRange } from "../domain/network/Chain.ts"

/** Hands out the tiles and groups of a peer, those whose test is the longest ago first. */
export interface StaleQueue {
  /** The stalest of the range that is accepted; `draw`, in [0, 1), decides between equals. */
  readonly take: (
    range: SlotRange,
    draw: number,
    isAccepted: (tile: number, group: number) => boolean
  ) => { readonly tile: number; readonly group: number } | undefined
}

/** When the tiles of one peer were tested last. */
export interface TestTimes {
  /** Groups of columns in each tile. */
  readonly groups: number
  /** Unix seconds of the newest test in a tile and group; 0 if there was none. */
  readonly testedAt: (tile: number, group: number) => number
}

interface Entry {
  readonly tile: number
  readonly group: number
  readonly at: number
}

/** Looking at all of them takes a while, so that many are taken at once. */
const taken = 256

export const makeStaleQueue = ({ groups, testedAt }: TestTimes): StaleQueue => {
  let queue: Array<Entry> = []

  const search = (range: SlotRange, draw: number, isAccepted: (tile: number, group: number) => boolean): void => {
    const [first, last] = [tileOf(range.start), tileOf(range.end)]
    const tiles = last - first + 1
    const from = Math.floor(draw * tiles)
    const found: Array<Entry> = []
    for (let step = 0; step < tiles; step++) {
      const tile = first + ((from + step) % tiles)
      for (let group = 0; group < groups; group++) {
        const at = testedAt(tile, group)
        if (found.length === taken && at >= (found[taken - 1]?.at ?? 0)) continue
        if (!isAccepted(tile, group)) continue
        found.splice(placeFor(found, at), 0, { tile, group, at })
        if (found.length > taken) found.pop()
      }
    }
    queue = found.reverse()
  }

  return {
    take: (range, draw, isAccepted) => {
      for (const isFresh of [false, true]) {
        if (isFresh) search(range, draw, isAccepted)
        for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
          const { at, group, tile } = entry
          const isInside = tile >= tileOf(range.start) && tile <= tileOf(range.end)
          if (isInside && testedAt(tile, group) === at && isAccepted(tile, group)) return entry
        }
      }
      return undefined
    }
  }
}

/** Where in the ascending entries a later one with this moment goes. */
const placeFor = (entries: ReadonlyArray<Entry>, at: number): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle]?.at ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low
}
