import { Effect } from "effect"
import { hasColumn, isEmpty, maskBytes } from "../domain/column/ColumnMask.ts"
import type { CoverageBlock } from "../history/store/History.ts"
import type { Coverage, Tested } from "./Coverage.ts"

/** Takes what the history knows into account; others have their turn meanwhile, by `yieldIfDue`. */
export const fillCoverage = Effect.fnUntraced(function* (
  coverage: Coverage,
  blocks: ReadonlyArray<CoverageBlock>,
  yieldIfDue: Effect.Effect<void>
) {
  const failures: Array<{ readonly block: CoverageBlock; readonly index: number; readonly at: number }> = []
  for (const block of blocks) {
    yield* yieldIfDue
    for (const [index, at] of block.testedAt.entries()) {
      coverage.add(testedAt(coverage, block, "succeeded", index), at)
      if (!isEmpty(block.failed, index * maskBytes)) failures.push({ block, index, at })
    }
  }
  // They are asked for again in the order in which they failed.
  failures.sort((a, b) => a.at - b.at)
  for (const { at, block, index } of failures) {
    yield* yieldIfDue
    coverage.add(testedAt(coverage, block, "failed", index), at)
  }
})

const testedAt = (
  coverage: Coverage,
  block: CoverageBlock,
  kind: "succeeded" | "failed",
  index: number
): ReadonlyArray<Tested> =>
  isEmpty(block[kind], index * maskBytes)
    ? []
    : coverage.columns
        .filter((column) => hasColumn(block[kind], index * maskBytes, column))
        .map((column) => ({ slot: block.firstSlot + index, column, succeeded: kind === "succeeded" }))
