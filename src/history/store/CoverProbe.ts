import { settles } from "../../domain/probe/Coverage.ts"
import type { Probe } from "../../domain/probe/Job.ts"
import { columnsOf } from "../../domain/column/ColumnMask.ts"
import { type CoverageChunk, chunkOf, clearSlot, cover, testedAt } from "./CoverageChunk.ts"
import type { Orphans } from "./Orphans.ts"
import type { BlockKey, OutcomeSection } from "./sqlite/OutcomeSections.ts"

type Sections = ReadonlyArray<OutcomeSection<BlockKey>>

/** Numbers of the chunks that a probe with these outcomes changes, ascending. */
export const chunksCovered = (sections: Sections): ReadonlyArray<number> => [
  ...new Set(
    sections.filter(({ masks }) => [...masks.keys()].some((kind) => settles(kind))).map(({ slot }) => chunkOf(slot))
  )
]

/**
 * Adds the outcomes of a probe to the chunks that it changes, by number. A slot keeps one moment for all of its
 * columns, so that what an orphaned block made void has to go before anything newer comes.
 */
export const coverProbe = (
  chunks: ReadonlyMap<number, CoverageChunk>,
  sections: Sections,
  { finishedAt, startedAt }: Pick<Probe, "startedAt" | "finishedAt">,
  orphans: Orphans
): void => {
  for (const { block, masks, slot } of sections) {
    const chunk = chunks.get(chunkOf(slot))
    const until = orphans.voidUntil(slot)
    if (chunk === undefined || finishedAt <= until || orphans.isOrphan(slot, block.root, startedAt)) continue
    if (testedAt(chunk, slot) <= until) clearSlot(chunk, slot)
    for (const [kind, mask] of masks) {
      if (settles(kind)) cover(chunk, slot, columnsOf(mask), kind === "success", finishedAt)
    }
  }
}
