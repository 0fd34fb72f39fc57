import { Effect } from "effect"
import { cellCount, type Column } from "./Column.ts"
import { isGuilty, type SidecarVerdict, skipped } from "./Verifier.ts"
import type { ColumnGroup } from "./VerifyColumns.ts"

/**
 * Cells that are verified at once, two kilobytes each; a single column may have more. Larger batches are cheaper a cell
 * (`npm run bench -- kzg`), up to here: about 0.4 s of one core, which cannot be stopped half-way.
 */
export const mostCells = 4096
/** For whoever is verified last: others that come meanwhile wait for no more than this, a few milliseconds. */
export const fewCells = 48

/** Of those in the background: 21 columns of 21 blobs in some 40 ms, half of what they cost one by one. */
export const mediumCells = 448

/** How many of `columns`, from `from` on, have at most `cells` cells together: one at least, if there is one. */
export const countWithin = (columns: ReadonlyArray<Column>, from: number, cells: number): number => {
  let count = 0
  let sum = 0
  for (let at = from; at < columns.length; at++) {
    const column = columns[at]
    sum += column === undefined ? 0 : cellCount(column)
    if (count > 0 && sum > cells) break
    count++
  }
  return count
}

/** Batch after batch of one call; those that would begin when enough is guilty are skipped. */
export const verifyInBatches = Effect.fnUntraced(function* <E>(
  { columns, mostGuilty }: ColumnGroup,
  cells: number,
  verify: (batch: ColumnGroup) => Effect.Effect<ReadonlyArray<SidecarVerdict>, E>
) {
  const verdicts: Array<SidecarVerdict> = []
  let left = mostGuilty
  while (verdicts.length < columns.length) {
    const end = verdicts.length + countWithin(columns, verdicts.length, cells)
    const batch = columns.slice(verdicts.length, end)
    if (left <= 0) {
      verdicts.push(...batch.map(() => skipped))
      continue
    }
    const found = yield* verify({ columns: batch, mostGuilty: left })
    left -= found.filter(isGuilty).length
    verdicts.push(...batch.map((_, index) => found[index] ?? skipped))
  }
  return verdicts
})
