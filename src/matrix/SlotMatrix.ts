import { Effect } from "effect"
import { canonicalSlot } from "../chain/CanonicalSlot.ts"
import { type ChainParameters, slotStart } from "../domain/network/Chain.ts"
import type { SlotMatrix } from "../domain/matrix/MatrixView.ts"
import type { Slot } from "../domain/Primitives.ts"
import { LiveMatrix } from "./LiveMatrix.ts"

/** The matrices of the blocks of a slot, beside what the chain says of it. */
export const slotMatrix = Effect.fn("slotMatrix")(function* (chain: ChainParameters, slot: Slot) {
  const matrix = yield* LiveMatrix
  const canonical = yield* canonicalSlot(slot)
  const root = canonical._tag === "Block" ? canonical.root : undefined
  const blocks = (yield* matrix.at(slot))
    .map((block) => ({ ...block, isCanonical: block.blockRoot === root }))
    .sort((a, b) => Number(b.isCanonical) - Number(a.isCanonical))
  return { slot, startsAt: slotStart(chain, slot), canonical, blocks: blocks.slice(0, mostBlocks) } satisfies SlotMatrix
})

const mostBlocks = 16
