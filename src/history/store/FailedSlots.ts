import { columnsOf, isEmpty, maskBytes } from "../../domain/column/ColumnMask.ts"
import { type FailedSlot, mostFailingSlots } from "../../domain/peer/Failing.ts"
import { slotsPerChunk } from "./CoverageChunk.ts"
import type { CoverageBlock } from "./History.ts"

/** What `failing` answers of this coverage. */
export const failedSlots = (blocks: ReadonlyArray<CoverageBlock>, since: number): ReadonlyArray<FailedSlot> => {
  const found: Array<FailedSlot> = []
  for (const { failed, firstSlot, testedAt } of blocks) {
    for (let index = 0; index < slotsPerChunk; index++) {
      const at = testedAt[index] ?? 0
      if (at < since || isEmpty(failed, index * maskBytes)) continue
      found.push({ slot: firstSlot + index, columns: columnsOf(failed, index * maskBytes), at })
    }
  }
  return found.sort((a, b) => a.at - b.at || a.slot - b.slot).slice(-mostFailingSlots)
}
