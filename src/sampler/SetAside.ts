import { slotBit, tileOf } from "../domain/network/Tile.ts"
import type { Suspicions } from "../domain/peer/Suspicions.ts"
import type { Aside } from "./NextJob.ts"

export const nothingAside: Aside = { any: () => false, slots: () => 0 }

/** What is suspected of a peer, as jobs leave it out. */
export const setAside = (suspicions: Suspicions): Aside => {
  if (suspicions.size === 0) return nothingAside
  const tiles = new Map<number, Map<number, number>>()
  for (const { columns, slot } of suspicions.values()) {
    const tile = tileOf(slot)
    const words = tiles.get(tile) ?? new Map<number, number>()
    tiles.set(tile, words)
    for (const { column } of columns) words.set(column, (words.get(column) ?? 0) | slotBit(slot))
  }
  return { any: (tile) => tiles.has(tile), slots: (tile, column) => tiles.get(tile)?.get(column) ?? 0 }
}
