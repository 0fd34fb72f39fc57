import type { Block } from "../domain/network/Block.ts"
import type { SlotRange } from "../domain/network/Chain.ts"

/** A part of the chain that is proven: a slot of the range without an entry has no block. */
export interface ProvenRange {
  readonly range: SlotRange
  /** Ascending. */
  readonly blocks: ReadonlyArray<Block>
}

/** What is known of a slot: its block, or `empty`; nothing for a slot that is not there. */
export type KnownSlots = ReadonlyMap<number, Block | "empty">

/** The known slots of a range, in as few parts as there can be. */
export const provenRanges = (known: KnownSlots, { end, start }: SlotRange): ReadonlyArray<ProvenRange> => {
  const parts: Array<ProvenRange> = []
  let blocks: Array<Block> = []
  let first = start
  for (let slot = start; slot <= end + 1; slot++) {
    const fact = slot > end ? undefined : known.get(slot)
    if (fact === undefined) {
      if (first < slot) parts.push({ range: { start: first, end: slot - 1 }, blocks })
      first = slot + 1
      blocks = []
    } else if (fact !== "empty") blocks.push(fact)
  }
  return parts
}

/** The span of a range's slots that are not known. */
export const lackingOf = (known: KnownSlots, { end, start }: SlotRange): SlotRange => {
  const lacking = Array.from({ length: end - start + 1 }, (_, index) => start + index).filter(
    (slot) => !known.has(slot)
  )
  return { start: lacking.at(0) ?? end + 1, end: lacking.at(-1) ?? end }
}
