import { numberOfColumns } from "../../domain/network/Chain.ts"

/** A set of columns as four words of 32 bits: ten thousand of them are compared at every look at the peer set. */
export type ColumnSet = Uint32Array

export const columnSet = (columns: Iterable<number>): ColumnSet => {
  const set = new Uint32Array(words)
  for (const column of columns) addColumn(set, column)
  return set
}

export const addColumn = (set: ColumnSet, column: number): void => {
  set[column >> 5] = (wordAt(set, column >> 5) | (1 << (column & 31))) >>> 0
}

export const hasColumn = (set: ColumnSet, column: number): boolean =>
  (wordAt(set, column >> 5) & (1 << (column & 31))) !== 0

export const isEmpty = (set: ColumnSet): boolean => set.every((word) => word === 0)

/** How many columns are in both. */
export const inCommon = (a: ColumnSet, b: ColumnSet): number => {
  let sum = 0
  for (let index = 0; index < words; index++) sum += bitsOf(wordAt(a, index) & wordAt(b, index))
  return sum
}

const words = numberOfColumns / 32

const wordAt = (set: ColumnSet, index: number): number => set[index] ?? 0

const bitsOf = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}
