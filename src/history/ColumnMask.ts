import { numberOfColumns } from "../domain/Chain.ts"

/** Bytes of a mask: one bit a column, column n at bit n % 8 of byte n / 8. */
export const maskBytes = numberOfColumns / 8

export const emptyMask = (): Uint8Array => new Uint8Array(maskBytes)

export const setColumn = (mask: Uint8Array, column: number): void => {
  mask[column >> 3] = byteAt(mask, column >> 3) | (1 << (column & 7))
}

export const clearColumn = (mask: Uint8Array, column: number): void => {
  mask[column >> 3] = byteAt(mask, column >> 3) & ~(1 << (column & 7))
}

export const hasColumn = (mask: Uint8Array, column: number): boolean =>
  (byteAt(mask, column >> 3) & (1 << (column & 7))) !== 0

export const maskOf = (columns: Iterable<number>): Uint8Array => {
  const mask = emptyMask()
  for (const column of columns) setColumn(mask, column)
  return mask
}

/** Ascending. */
export const columnsOf = (mask: Uint8Array): ReadonlyArray<number> => {
  const columns: Array<number> = []
  for (let index = 0; index < maskBytes; index++) {
    for (let bits = byteAt(mask, index), bit = 0; bits !== 0; bits >>= 1, bit++) {
      if ((bits & 1) !== 0) columns.push(index * 8 + bit)
    }
  }
  return columns
}

/** Adds all columns of `other` to `mask`. */
export const unite = (mask: Uint8Array, other: Uint8Array): void => {
  for (let index = 0; index < maskBytes; index++) mask[index] = byteAt(mask, index) | byteAt(other, index)
}

export const isEmpty = (mask: Uint8Array): boolean => {
  for (let index = 0; index < maskBytes; index++) if (mask[index] !== 0) return false
  return true
}

/** Bit n stands for column n. */
export const toBigInt = (mask: Uint8Array): bigint => {
  const view = new DataView(mask.buffer, mask.byteOffset, maskBytes)
  return (view.getBigUint64(8, true) << 64n) | view.getBigUint64(0, true)
}

/** Bytes that a mask takes once it is packed against `columns`. */
export const packedBytes = (columns: ReadonlyArray<number>): number => (columns.length + 7) >> 3

/** Writes the bits of `columns`, side by side, to `target` at `offset`; columns outside of them are not written. */
export const pack = (mask: Uint8Array, columns: ReadonlyArray<number>, target: Uint8Array, offset: number): void => {
  if (columns.length === numberOfColumns) {
    target.set(mask, offset)
    return
  }
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined && hasColumn(mask, column)) {
      const at = offset + (index >> 3)
      target[at] = byteAt(target, at) | (1 << (index & 7))
    }
  }
}

/** Reads into `mask` what `pack` wrote to `source` at `offset`. */
export const unpack = (source: Uint8Array, offset: number, columns: ReadonlyArray<number>, mask: Uint8Array): void => {
  if (columns.length === numberOfColumns) {
    mask.set(source.subarray(offset, offset + maskBytes))
    return
  }
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined && (byteAt(source, offset + (index >> 3)) & (1 << (index & 7))) !== 0) {
      setColumn(mask, column)
    }
  }
}

const byteAt = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0
