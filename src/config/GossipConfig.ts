import { Schema } from "effect"
import { custodyRequirement, numberOfColumns, numberOfCustodyGroups } from "../domain/network/Chain.ts"
import { ByteSize } from "./ByteSize.ts"
import { custodyKeys } from "./CustodyKeys.ts"
import { expected } from "./Show.ts"
import { choice, listOf, repetitions, whole, withDefault } from "./Values.ts"

const ColumnList = listOf(whole(0, numberOfColumns - 1), "columns").pipe(
  Schema.minItems(1),
  Schema.filter((columns) => repetitions(columns, String, (column) => `column ${column} again`))
)

const Columns = Schema.Union(choice("custody", "all"), ColumnList).annotations(
  expected(`custody, all, or a list of columns from 0 to ${numberOfColumns - 1}, each once`)
)

/** What our node takes part in of the gossip of columns. */
export const GossipConfig = Schema.Struct({
  /**
   * On no topic; on topics, where what is fully verified is forwarded, and nothing is kept or claimed; or like any node of
   * the network, that keeps and serves what it claims.
   */
  mode: withDefault(choice("off", "observe", "participate"), () => "observe" as const),
  /** The columns whose topics our node is on: those that it owes at `custodyGroupCount`, or these. */
  columns: withDefault(Columns, () => "custody" as const),
  /** How many custody groups our node has; others are told of it with `participate` alone. */
  custodyGroupCount: withDefault(whole(custodyRequirement, numberOfCustodyGroups), () => custodyRequirement),
  /** Memory of the columns of recent blocks, whoever brought them. */
  matrixMemory: withDefault(ByteSize("1MiB", "64GiB"), () => 64 * 2 ** 20),
  ...custodyKeys
})
export type GossipConfig = typeof GossipConfig.Type
