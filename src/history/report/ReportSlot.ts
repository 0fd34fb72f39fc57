import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { columnsToReconstruct, numberOfColumns } from "../../domain/network/Chain.ts"
import { hasColumn, maskBytes } from "../../domain/column/ColumnMask.ts"
import { chunkKey, chunkOf, decodeChunk, slotsPerChunk, testedAt } from "../store/CoverageChunk.ts"
import type { SlotHoldings, SlotOptions } from "../../domain/report/Question.ts"
import type { ReadError } from "./ReportRows.ts"
import { query } from "../store/sqlite/SqliteRows.ts"

/** Who has proven to hold the columns of a slot, of its canonical block. */
export const slot = Effect.fnUntraced(function* (
  connection: Connection,
  { limit = 10, slot }: typeof SlotOptions.Type
): Effect.fn.Return<typeof SlotHoldings.Type, ReadError> {
  const orphans = new Map((yield* selectOrphans(connection, [slot])).map(({ at, root }) => [root, at]))
  const voidUntil = Math.max(-Infinity, ...orphans.values())
  const first = chunkKey(0, chunkOf(slot))
  const columns = Array.from({ length: numberOfColumns }, (_, column) => ({
    column,
    peers: 0,
    failed: 0,
    numbers: new Array<number>()
  }))
  for (const [id, chunk] of yield* selectChunks(connection, [first, chunkKey(0, chunkOf(slot) + 1) - 1])) {
    if (orphans.size > 0 && testedAt(decodeChunk(chunk), slot) <= voidUntil) continue
    visit(chunk, slot % slotsPerChunk, (column, succeeded) => {
      const entry = columns[column]
      if (entry === undefined) return
      if (!succeeded) {
        entry.failed++
        return
      }
      entry.peers++
      if (entry.numbers.length < limit) entry.numbers.push(id - first)
    })
  }
  const numbers = JSON.stringify([...new Set(columns.flatMap((column) => column.numbers))])
  const names = new Map((yield* selectPeers(connection, [numbers])).map(({ id, peer_id }) => [id, peer_id]))
  const held = columns.filter(({ peers }) => peers > 0).length
  return {
    slot,
    blocks: (yield* selectBlocks(connection, [slot])).map(({ blobs, root }) => ({
      root,
      blobs,
      orphaned: orphans.has(root)
    })),
    columns: columns.map(({ column, failed, numbers, peers }) => ({
      column,
      peers,
      failed,
      peerIds: numbers.flatMap((number) => names.get(number) ?? [])
    })),
    held,
    reconstructable: held >= columnsToReconstruct
  }
})

/**
 * Tells which columns of one slot were tested, of a chunk in the form that `encodeChunk` gave it. Reading all 128 slots
 * would take thirty times as long, and a slot may be in ten thousand chunks.
 */
const visit = (bytes: Uint8Array, index: number, tell: (column: number, succeeded: boolean) => void): void => {
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
const selectChunks = (connection: Connection, range: ReadonlyArray<number>) =>
  Effect.map(
    connection.executeValues("SELECT id, chunk FROM coverage WHERE id BETWEEN ? AND ? ORDER BY id", range),
    (rows) =>
      rows.flatMap(([id, chunk]) =>
        typeof id === "number" && chunk instanceof Uint8Array ? [[id, chunk] as const] : []
      )
  )

const selectOrphans = query(
  "SELECT root, at FROM orphans WHERE slot = ?",
  Schema.Struct({ root: Schema.String, at: Schema.Number })
)

const selectBlocks = query(
  "SELECT root, max(blobs) AS blobs FROM blocks WHERE slot = ? GROUP BY root ORDER BY min(id)",
  Schema.Struct({ root: Schema.String, blobs: Schema.Number })
)

const selectPeers = query(
  "SELECT id, peer_id FROM peers WHERE id IN (SELECT value FROM json_each(?))",
  Schema.Struct({ id: Schema.Number, peer_id: Schema.String })
)
