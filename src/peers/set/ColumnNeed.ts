import { type ClientFamily, clientFamilies } from "../../domain/peer/ClientFamily.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { addColumn, type ColumnSet, columnSet, hasColumn, inCommon, isEmpty } from "./ColumnSet.ts"

/** What a peer brings to the set. */
export interface Holder {
  readonly columns: ColumnSet
  readonly custodyGroupCount: number
  readonly family: ClientFamily
}

/** How many connected peers each column is to be held by; index is the column. */
export type Demand = ReadonlyArray<number>

/** Which columns the connected peers hold, and which lack some. */
export interface ColumnNeed {
  readonly add: (holder: Holder) => void
  readonly remove: (holder: Holder) => void
  /** How much the peer would bring of what is lacking; 0 for nothing. */
  readonly gain: (holder: Holder) => number
  /** Columns that would lack a holder, or one that is no supernode, without the peer. */
  readonly loss: (holder: Holder) => number
  /** Columns that have too few holders, or none that is no supernode; ascending. */
  readonly lacking: () => ReadonlyArray<number>
}

/** A peer that keeps half of the columns or more. */
const isSupernode = ({ custodyGroupCount }: Holder): boolean => custodyGroupCount >= numberOfColumns / 2

/**
 * Each column is to have as many holders as `demand` says, one of them no supernode: what few large peers hold is lost
 * when they go. And its holders are not all to be of one client, whose bug would be theirs.
 */
export const makeColumnNeed = (demand: Demand): ColumnNeed => {
  const holders = new Uint16Array(numberOfColumns)
  const small = new Uint16Array(numberOfColumns)
  const ofFamily = new Map<ClientFamily, Uint16Array>(known.map((family) => [family, new Uint16Array(numberOfColumns)]))
  let isStale = true
  /** Nothing is lacking. */
  let isSated = false
  let masks = noMasks()

  const count = (holder: Holder, by: 1 | -1): void => {
    const family = ofFamily.get(holder.family)
    for (let column = 0; column < numberOfColumns; column++) {
      if (!hasColumn(holder.columns, column)) continue
      change(holders, column, by)
      if (!isSupernode(holder)) change(small, column, by)
      if (family !== undefined) change(family, column, by)
    }
    isStale = true
  }
  const wanted = (column: number): number => demand[column] ?? 0
  const read = (): Masks => {
    if (!isStale) return masks
    isStale = false
    masks = noMasks()
    for (let column = 0; column < numberOfColumns; column++) {
      const has = at(holders, column)
      if (wanted(column) === 0) continue
      if (has === 0) addColumn(masks.none, column)
      if (has < wanted(column)) addColumn(masks.few, column)
      if (at(small, column) === 0) addColumn(masks.onlySupernodes, column)
      for (const [family, counts] of ofFamily) {
        if (has >= 2 && at(counts, column) === has) addColumn(maskOf(masks, family), column)
      }
    }
    const { few, none, ofOneFamily, onlySupernodes } = masks
    isSated = ofOneFamily.size === 0 && [few, none, onlySupernodes].every(isEmpty)
    return masks
  }

  return {
    add: (holder) => count(holder, 1),
    remove: (holder) => count(holder, -1),
    gain: (holder) => {
      const { few, none, ofOneFamily, onlySupernodes } = read()
      if (isSated) return 0
      let sum = 4 * inCommon(holder.columns, none) + 2 * inCommon(holder.columns, few)
      if (!isSupernode(holder)) sum += 2 * inCommon(holder.columns, onlySupernodes)
      if (!ofFamily.has(holder.family)) return sum
      for (const [family, mask] of ofOneFamily) {
        if (family !== holder.family) sum += inCommon(holder.columns, mask)
      }
      return sum
    },
    loss: (holder) => {
      let sum = 0
      for (let column = 0; column < numberOfColumns; column++) {
        if (!hasColumn(holder.columns, column) || wanted(column) === 0) continue
        const isLast = !isSupernode(holder) && at(small, column) <= 1
        if (at(holders, column) <= wanted(column) || isLast) sum++
      }
      return sum
    },
    lacking: () => {
      const { few, onlySupernodes } = read()
      return Array.from({ length: numberOfColumns }, (_, column) => column).filter(
        (column) => hasColumn(few, column) || hasColumn(onlySupernodes, column)
      )
    }
  }
}

/** Columns that lack something. */
interface Masks {
  readonly none: ColumnSet
  readonly few: ColumnSet
  readonly onlySupernodes: ColumnSet
  readonly ofOneFamily: Map<ClientFamily, ColumnSet>
}

const noMasks = (): Masks => ({
  none: columnSet([]),
  few: columnSet([]),
  onlySupernodes: columnSet([]),
  ofOneFamily: new Map()
})

const maskOf = ({ ofOneFamily }: Masks, family: ClientFamily): ColumnSet => {
  const mask = ofOneFamily.get(family) ?? columnSet([])
  ofOneFamily.set(family, mask)
  return mask
}

/** Of whom it is known that they share no bug. */
const known = clientFamilies.filter((family) => family !== "other" && family !== "unknown")

const at = (counts: Uint16Array, column: number): number => counts[column] ?? 0

const change = (counts: Uint16Array, column: number, by: number): void => {
  counts[column] = at(counts, column) + by
}
