import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { numberOfColumns } from "../domain/Chain.ts"
import { columnsOf, hasColumn, maskBytes, packedBytes } from "./ColumnMask.ts"
import { chunkKey, chunkOf, decodeChunk, slotsPerChunk, testedAt } from "./CoverageChunk.ts"
import { columnsToReconstruct, type SlotHoldings, type SlotOptions } from "./Question.ts"
import type { ReadError } from "./ReportRows.ts"
import { ChunkRow, query } from "./SqliteRows.ts"

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
  for (const { chunk, id } of yield* selectChunks(connection, [first, chunkKey(0, chunkOf(slot) + 1) - 1])) {
    const tested = slotOf(chunk, slot % slotsPerChunk)
    if (tested === undefined || (orphans.size > 0 && testedAt(decodeChunk(chunk), slot) <= voidUntil)) continue
    for (const column of tested.failed) {
      const entry = columns[column]
      if (entry !== undefined) entry.failed++
    }
    for (const column of tested.succeeded) {
      const entry = columns[column]
      if (entry === undefined) continue
      entry.peers++
      if (entry.numbers.length < limit) entry.numbers.push(id - first)
    }
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
 * What a chunk, in the form that `encodeChunk` gave it, says of one of its slots. Reading all 128 of them would take
 * thirty times as long, and a slot may be in ten thousand chunks.
 */
const slotOf = (bytes: Uint8Array, index: number) => {
  if (!hasColumn(bytes, maskBytes, index)) return undefined
  const palette = columnsOf(bytes)
  const width = packedBytes(palette)
  const columnsAt = (offset: number) => palette.filter((_, position) => hasBit(bytes, offset, position))
  const masks = 2 * maskBytes
  const succeeded = columnsAt(masks + countBefore(bytes, maskBytes, index) * width)
  const broken = masks + countBefore(bytes, maskBytes, slotsPerChunk) * width
  return {
    succeeded,
    failed: hasColumn(bytes, broken, index)
      ? columnsAt(broken + maskBytes + countBefore(bytes, broken, index) * width)
      : []
  }
}

const hasBit = (bytes: Uint8Array, offset: number, bit: number): boolean =>
  ((bytes[offset + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0

/** Bits that are set before bit `end` of the mask at `offset`. */
const countBefore = (bytes: Uint8Array, offset: number, end: number): number => {
  let count = 0
  for (let bit = 0; bit < end; bit++) if (hasBit(bytes, offset, bit)) count++
  return count
}

const selectChunks = query("SELECT id, chunk FROM coverage WHERE id BETWEEN ? AND ? ORDER BY id", ChunkRow)

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
