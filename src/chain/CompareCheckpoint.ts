import { Effect } from "effect"
import type { SlotRange } from "../domain/network/Chain.ts"
import { tileOf, tileRange, tileSlots } from "../domain/network/Tile.ts"
import type { Root } from "../domain/Primitives.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { ChainMemory } from "./ChainMemory.ts"

/** Slots without a block before a checkpoint's, at most, that are looked through. */
const mostEmpty = 4 * tileSlots

/**
 * Whether the last block at or before `slot` has this root. What is not remembered is asked for with `known`; the memory
 * holds blocks that link to each other, so that an equal root stands for the whole chain before it.
 */
export const compareCheckpoint = Effect.fnUntraced(function* (
  memory: ChainMemory,
  known: (range: SlotRange) => Effect.Effect<unknown, ExternsError>,
  slot: number,
  root: Root
) {
  for (let at = slot; at > slot - mostEmpty; at--) {
    const { end, start } = memory.window()
    if (at < start || at > end) return "unknown"
    if (!memory.isKnown(at))
      yield* Effect.ignore(known({ start: Math.max(tileRange(tileOf(at)).start, start), end: at }))
    if (!memory.isKnown(at)) return "unknown"
    const ours = memory.root(at)
    if (ours !== undefined) return ours === root ? "ours" : "other"
  }
  return "unknown"
})
