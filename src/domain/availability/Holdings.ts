import { Schema } from "effect"
import { columnsToReconstruct, numberOfColumns } from "../network/Chain.ts"
import { leastPeers } from "./Evidence.ts"

/**
 * Whether a block can be rebuilt from what peers were proven to hold of it. `recoverable`: 64 columns are proven, and not
 * just so. `at risk`: 64 are, but fewer than eight more, or not without one single peer. `lost`: more than 64 columns are
 * proven absent at every peer that was tested, of three at least. `untested`: too little was tested to say.
 */
export const Recoverability = Schema.Literal("recoverable", "at risk", "lost", "untested").annotations({
  identifier: "Recoverability"
})
export type Recoverability = typeof Recoverability.Type

/** One column of one block, by what was proven of it. */
export interface ColumnHoldings {
  readonly column: number
  /** Peers that delivered it, verified, and did not fail to since. */
  readonly peers: number
  /** Peers that are blamed for not having it. */
  readonly failed: number
  /** The one peer that has it, where it is one. */
  readonly holder: string | number | undefined
}

/** What the columns of a block come to. */
export interface HoldingsState {
  readonly state: Recoverability
  /** The column that the fewest peers hold, of those that any does; the lowest of several. */
  readonly weakest: { readonly column: number; readonly peers: number } | null
}

/** Sums up what was proven of the columns of one block; gossip is not asked. */
export const holdingsState = (columns: ReadonlyArray<ColumnHoldings>): HoldingsState => {
  const held = columns.filter(({ peers }) => peers > 0)
  const lost = columns.filter(({ failed, peers }) => peers === 0 && failed >= leastPeers).length
  const weakest = held.reduce<ColumnHoldings | undefined>(
    (least, column) => (least === undefined || column.peers < least.peers ? column : least),
    undefined
  )
  return {
    state: stateOf(held, lost),
    weakest: weakest === undefined ? null : { column: weakest.column, peers: weakest.peers }
  }
}

const stateOf = (held: ReadonlyArray<ColumnHoldings>, lost: number): Recoverability => {
  if (lost > numberOfColumns - columnsToReconstruct) return "lost"
  if (held.length < columnsToReconstruct) return "untested"
  return held.length >= columnsToReconstruct + spareColumns && held.length - mostOfOnePeer(held) >= columnsToReconstruct
    ? "recoverable"
    : "at risk"
}

/** How many columns would be gone with one peer. */
const mostOfOnePeer = (held: ReadonlyArray<ColumnHoldings>): number => {
  const alone = new Map<string | number, number>()
  for (const { holder, peers } of held) {
    if (peers === 1 && holder !== undefined) alone.set(holder, (alone.get(holder) ?? 0) + 1)
  }
  return Math.max(0, ...alone.values())
}

/** Columns beyond 64 that are no margin yet. */
const spareColumns = 8
