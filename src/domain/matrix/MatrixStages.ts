import { columnsToReconstruct, numberOfColumns } from "../network/Chain.ts"
import type { MatrixStage } from "./MatrixProgress.ts"

/**
 * The stages that a block has newly reached with a column, `held` being the columns that have come of it, this one included.
 * `subscribed` is left out while we are on no gossip, and where it says no more than `complete`.
 */
export const stagesReached = (
  held: ReadonlyMap<number, unknown>,
  column: number,
  subscribed: ReadonlySet<number>
): ReadonlyArray<MatrixStage> => {
  const stages: Array<MatrixStage> = []
  if (held.size === 1) stages.push("first")
  const isPart = subscribed.has(column) && subscribed.size < numberOfColumns
  if (isPart && [...subscribed].every((one) => held.has(one))) stages.push("subscribed")
  if (held.size === columnsToReconstruct) stages.push("recoverable")
  if (held.size === numberOfColumns) stages.push("complete")
  return stages
}
