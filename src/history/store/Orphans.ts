import { type CoverageChunk, clearSlot, slotsPerChunk, testedAt } from "./CoverageChunk.ts"

/** Blocks that were canonical and are not any more, and what that voids. */
export interface Orphans {
  /** `at`: Unix milliseconds at which it was heard. */
  readonly add: (slot: number, root: string, at: number) => void
  /** What was tested of a slot up to this moment is void; -Infinity for a slot that never lost a block. */
  readonly voidUntil: (slot: number) => number
  /** Whether `root` was orphaned at `since` or later: what began then was held against the wrong block. */
  readonly isOrphan: (slot: number, root: string, since: number) => boolean
  /** Forgets those of slots before `slot`. */
  readonly forgetBefore: (slot: number) => void
}

export const makeOrphans = (): Orphans => {
  const bySlot = new Map<number, Map<string, number>>()
  return {
    add: (slot, root, at) => {
      const roots = bySlot.get(slot) ?? new Map<string, number>()
      bySlot.set(slot, roots)
      roots.set(root, Math.max(roots.get(root) ?? -Infinity, at))
    },
    voidUntil: (slot) => {
      const roots = bySlot.get(slot)
      return roots === undefined ? -Infinity : Math.max(...roots.values())
    },
    isOrphan: (slot, root, since) => {
      const at = bySlot.get(slot)?.get(root)
      return at !== undefined && at >= since
    },
    forgetBefore: (slot) => {
      for (const known of bySlot.keys()) if (known < slot) bySlot.delete(known)
    }
  }
}

/** Makes the slots of chunk number `number` untested that are void. */
export const clearVoid = (
  chunk: CoverageChunk,
  number: number,
  voidUntil: (slot: number) => number | undefined
): void => {
  for (let slot = number * slotsPerChunk; slot < (number + 1) * slotsPerChunk; slot++) {
    const until = voidUntil(slot)
    if (until !== undefined && testedAt(chunk, slot) <= until) clearSlot(chunk, slot)
  }
}
