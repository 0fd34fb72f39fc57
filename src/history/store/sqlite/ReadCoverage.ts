import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { chunkKey, chunkOf, chunkOfKey, decodeChunk, isUntested, slotsPerChunk } from "../CoverageChunk.ts"
import { failedSlots } from "../FailedSlots.ts"
import type { CoverageBlock } from "../History.ts"
import { clearVoid } from "../Orphans.ts"
import { ChunkRow, IdRow, OrphanRow, query } from "./SqliteRows.ts"

/**
 * A peer's chunks lie between those of all others: they are looked up one by one, a batch of neighbouring chunk
 * numbers at a time, and where no chunk of any peer is the gap is skipped.
 */
export const readCoverage = Effect.fnUntraced(function* (
  connection: Connection,
  peerId: string,
  fromSlot: number,
  yieldIfDue: Effect.Effect<void>
) {
  const [peer] = yield* selectPeerNumber(connection, [peerId])
  if (peer === undefined) return []
  const blocks: Array<CoverageBlock> = []
  for (let from = chunkOf(fromSlot); ; from += chunksAtOnce) {
    const [next] = yield* selectNextKey(connection, [chunkKey(0, from)])
    if (next === undefined) return blocks
    from = chunkOfKey(next.id)
    const rows = yield* selectChunks(connection, [from, from + chunksAtOnce - 1, peer.id])
    const slots = [from * slotsPerChunk, (from + chunksAtOnce) * slotsPerChunk - 1]
    const orphans = new Map((yield* selectOrphans(connection, slots)).map(({ at, slot }) => [slot, at]))
    for (const { chunk, id } of rows) {
      yield* yieldIfDue
      const decoded = decodeChunk(chunk)
      if (orphans.size > 0) clearVoid(decoded, chunkOfKey(id), (slot) => orphans.get(slot))
      if (!isUntested(decoded)) blocks.push({ firstSlot: chunkOfKey(id) * slotsPerChunk, ...decoded })
    }
    yield* yieldIfDue
  }
})

const chunksAtOnce = 64

/** Nearly nobody was blamed of late: only their coverage is read. */
export const readFailing = Effect.fnUntraced(function* (
  connection: Connection,
  peerId: string,
  since: number,
  yieldIfDue: Effect.Effect<void>
) {
  const [row] = yield* selectBlamedAt(connection, [peerId])
  if (row === undefined || row.blamed_at === null || row.blamed_at < since) return []
  return failedSlots(yield* readCoverage(connection, peerId, 0, yieldIfDue), since)
})

const selectPeerNumber = query("SELECT id FROM peers WHERE peer_id = ?", IdRow)

const selectNextKey = query("SELECT id FROM coverage WHERE id >= ? ORDER BY id LIMIT 1", IdRow)

const selectChunks = query(
  `WITH RECURSIVE numbers (number) AS (
    SELECT CAST(? AS INTEGER) UNION ALL SELECT number + 1 FROM numbers WHERE number < ?
  )
  SELECT id, chunk FROM numbers CROSS JOIN coverage ON id = number * ${chunkKey(0, 1)} + CAST(? AS INTEGER)`,
  ChunkRow
)

const selectOrphans = query(
  "SELECT slot, max(at) AS at FROM orphans WHERE slot BETWEEN ? AND ? GROUP BY slot",
  OrphanRow
)

const selectBlamedAt = query(
  "SELECT blamed_at FROM peers WHERE peer_id = ?",
  Schema.Struct({ blamed_at: Schema.NullOr(Schema.Number) })
)
