import { hasColumn, maskBytes, setColumn } from "../domain/column/ColumnMask.ts"
import { numberOfColumns } from "../domain/network/Chain.ts"

/** Bytes of a digest that are kept. */
export const digestBytes = 16

/** The digests of one block's proven columns, in the order in which they were proven. */
export interface LedgerEntry {
  readonly has: (column: number) => boolean
  /** Whether this is the digest of the column. */
  readonly matches: (column: number, digest: Uint8Array) => boolean
  /** In place of what was kept of the column. */
  readonly set: (column: number, digest: Uint8Array) => void
  /** Takes what `encode` gave, if that is readable, of the columns of which there is nothing. */
  readonly add: (encoded: Uint8Array) => void
  /** Ascending. */
  readonly columns: () => ReadonlyArray<number>
  /** Bytes of memory, about. */
  readonly size: () => number
  /** A mask of the columns, and then their digests, ascending. */
  readonly encode: () => Uint8Array
}

export const makeLedgerEntry = (): LedgerEntry => {
  const places = new Uint8Array(numberOfColumns).fill(absent)
  let digests = new Uint8Array(firstRoom * digestBytes)
  let count = 0

  const has = (column: number): boolean => (places[column] ?? absent) !== absent
  const set = (column: number, digest: Uint8Array): void => {
    if (column < 0 || column >= numberOfColumns) return
    if (!has(column)) {
      if (count * digestBytes === digests.length) {
        const larger = new Uint8Array(Math.min(digests.length * 2, numberOfColumns * digestBytes))
        larger.set(digests)
        digests = larger
      }
      places[column] = count++
    }
    digests.set(digest.subarray(0, digestBytes), (places[column] ?? 0) * digestBytes)
  }
  const columns = (): ReadonlyArray<number> => {
    const out: Array<number> = []
    for (let column = 0; column < numberOfColumns; column++) if (has(column)) out.push(column)
    return out
  }

  return {
    has,
    set,
    add: (encoded) => {
      if (!isReadable(encoded)) return
      let at = maskBytes
      for (let column = 0; column < numberOfColumns; column++) {
        if (!hasColumn(encoded, 0, column)) continue
        const digest = encoded.subarray(at, (at += digestBytes))
        if (!has(column)) set(column, digest)
      }
    },
    columns,
    matches: (column, digest) => {
      const place = places[column] ?? absent
      if (place === absent) return false
      for (let at = 0; at < digestBytes; at++) if (digests[place * digestBytes + at] !== digest[at]) return false
      return true
    },
    size: () => overhead + digests.length,
    encode: () => {
      const known = columns()
      const out = new Uint8Array(maskBytes + known.length * digestBytes)
      known.forEach((column, index) => {
        setColumn(out, 0, column)
        const from = (places[column] ?? 0) * digestBytes
        out.set(digests.subarray(from, from + digestBytes), maskBytes + index * digestBytes)
      })
      return out
    }
  }
}

/** Whether the length is that which the mask says. */
const isReadable = (encoded: Uint8Array): boolean => {
  let count = 0
  for (let column = 0; column < numberOfColumns; column++) {
    if (encoded.length >= maskBytes && hasColumn(encoded, 0, column)) count++
  }
  return encoded.length === maskBytes + count * digestBytes
}

const absent = 255
/** Columns that there is room for at first. */
const firstRoom = 8
/** Bytes of an entry without digests, measured: places, closures, its key and its place among the others. */
const overhead = 1400
