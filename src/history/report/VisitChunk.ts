import type { Connection } from "@effect/sql/SqlConnection"
import { Effect } from "effect"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { hasColumn, maskBytes } from "../../domain/column/ColumnMask.ts"
import { slotsPerChunk } from "../store/CoverageChunk.ts"

/**
 * Tells which columns of one slot were tested, of a chunk in the form that `encodeChunk` gave it. Reading all 128 slots
 * would take thirty times as long, and a slot may be in ten thousand chunks.
 */
export const visit = (bytes: Uint8Array, index: number, tell: (column: number, succeeded: boolean) => void): void => {
  if (!hasColumn(bytes, maskBytes, index)) return
  const width = (countBefore(bytes, 0, numberOfColumns) + 7) >> 3
  const masks = 2 * maskBytes
  const succeeded = masks + countBefore(bytes, maskBytes, index) * width
  const broken = masks + countBefore(bytes, maskBytes, slotsPerChunk) * width
  const failed = hasColumn(bytes, broken, index)
    ? broken + maskBytes + countBefore(bytes, broken, index) * width
    : undefined
  for (let column = 0, position = 0; column < numberOfColumns; column++) {
    if ((column & 7) === 0 && bytes[column >> 3] === 0) column += 7
    else if (hasBit(bytes, 0, column)) {
      if (hasBit(bytes, succeeded, position)) tell(column, true)
      else if (failed !== undefined && hasBit(bytes, failed, position)) tell(column, false)
      position++
    }
  }
}

const hasBit = (bytes: Uint8Array, offset: number, bit: number): boolean =>
  ((bytes[offset + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0

/** Bits that are set before bit `end` of the mask at `offset`. */
const countBefore = (bytes: Uint8Array, offset: number, end: number): number => {
  let count = 0
  for (let bit = 0; bit < end; bit += 8) {
    const byte = bytes[offset + (bit >> 3)] ?? 0
    count += bitCounts[end - bit >= 8 ? byte : byte & ((1 << (end - bit)) - 1)] ?? 0
  }
  return count
}

/** Bits that are set in each byte. */
const bitCounts = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length)

/** Without a schema for each of what may be ten thousand rows. */
export const selectChunks = (connection: Connection, range: ReadonlyArray<number>) =>
  Effect.map(
    connection.executeValues("SELECT id, chunk FROM coverage WHERE id BETWEEN ? AND ? ORDER BY id", range),
    (rows) =>
      rows.flatMap(([id, chunk]) =>
        typeof id === "number" && chunk instanceof Uint8Array ? [[id, chunk] as const] : []
      )
  )
