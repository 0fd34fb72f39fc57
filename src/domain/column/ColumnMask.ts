import { numberOfColumns } from "../network/Chain.ts"

/**
 * Sets of columns as bytes: column n is bit n % 8 of byte n / 8. Functions take the bytes and where in them the mask
 * begins, so that many masks can lie in one array.
 */
export const maskBytes = numberOfColumns / 8

export const emptyMask = (): Uint8Array => new Uint8Array(maskBytes)

export const setColumn = (bytes: Uint8Array, at: number, column: number): void => {
  bytes[at + (column >> 3)] = byteAt(bytes, at + (column >> 3)) | (1 << (column & 7))
}

export const clearColumn = (bytes: Uint8Array, at: number, column: number): void => {
  bytes[at + (column >> 3)] = byteAt(bytes, at + (column >> 3)) & ~(1 << (column & 7))
}

export const hasColumn = (bytes: Uint8Array, at: number, column: number): boolean =>
  (byteAt(bytes, at + (column >> 3)) & (1 << (column & 7))) !== 0

export const maskOf = (columns: Iterable<number>): Uint8Array => {
  const mask = emptyMask()
  for (const column of columns) setColumn(mask, 0, column)
  return mask
}

/** Ascending. */
export const columnsOf = (bytes: Uint8Array, at = 0): ReadonlyArray<number> => {
  const columns: Array<number> = []
  for (let index = 0; index < maskBytes; index++) {
    for (let bits = byteAt(bytes, at + index), bit = 0; bits !== 0; bits >>= 1, bit++) {
      if ((bits & 1) !== 0) columns.push(index * 8 + bit)
    }
  }
  return columns
}

/** Adds the columns of the mask at `at` to `mask`. */
export const unite = (mask: Uint8Array, bytes: Uint8Array, at: number): void => {
  for (let index = 0; index < maskBytes; index++) mask[index] = byteAt(mask, index) | byteAt(bytes, at + index)
}

export const isEmpty = (bytes: Uint8Array, at: number): boolean => {
  for (let index = 0; index < maskBytes; index++) if (bytes[at + index] !== 0) return false
  return true
}

/** Bytes that a mask takes once it is packed against `columns`. */
export const packedBytes = (columns: ReadonlyArray<number>): number => (columns.length + 7) >> 3

/** Writes the bits of `columns`, side by side, to `target` at `offset`; columns outside of them are not written. */
export const pack = (
  bytes: Uint8Array,
  at: number,
  columns: ReadonlyArray<number>,
  target: Uint8Array,
  offset: number
): void => {
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined && hasColumn(bytes, at, column)) setColumn(target, offset, index)
  }
}

/** Adds to the mask at `at` what `pack` wrote to `source` at `offset`. */
export const unpack = (
  source: Uint8Array,
  offset: number,
  columns: ReadonlyArray<number>,
  bytes: Uint8Array,
  at: number
): void => {
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined && hasColumn(source, offset, index)) setColumn(bytes, at, column)
  }
}

const byteAt = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0
