import type { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { SlotRange } from "../../src/domain/network/Chain.ts"
import { slotBit, tileOf } from "../../src/domain/network/Tile.ts"

/** The slots of the range whose block is known to have columns, ascending. */
export const slotsWithColumns = (
  { columnSlots }: Pick<CommitmentCache["Type"], "columnSlots">,
  { end, start }: SlotRange
): ReadonlyArray<number> =>
  Array.from({ length: end - start + 1 }, (_, index) => start + index).filter(
    (slot) => (columnSlots(tileOf(slot)) & slotBit(slot)) !== 0
  )
