import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { columnsToReconstruct, numberOfColumns } from "../../domain/network/Chain.ts"
import { holdingsState } from "../../domain/availability/Holdings.ts"
import { chunkKey, chunkOf, decodeChunk, slotsPerChunk, testedAt } from "../store/CoverageChunk.ts"
import type { SlotHoldings, SlotOptions } from "../../domain/report/Question.ts"
import type { ReadError } from "./ReportRows.ts"
import { selectVerdictsOf, verdictOf } from "../store/sqlite/AvailabilityRows.ts"
import { query } from "../store/sqlite/SqliteRows.ts"
import { selectChunks, visit } from "./VisitChunk.ts"

/** Who has proven to hold the columns of a slot, of its canonical block. */
export const slot = Effect.fnUntraced(function* (
  connection: Connection,
  { limit = 10, slot }: typeof SlotOptions.Type
): Effect.fn.Return<typeof SlotHoldings.Type, ReadError> {
  const orphans = new Map((yield* selectOrphans(connection, [slot])).map(({ at, root }) => [root, at]))
  const voidUntil = Math.max(-Infinity, ...orphans.values())
  const first = chunkKey(0, chunkOf(slot))
  const holders = new Set<number>()
  const columns = Array.from({ length: numberOfColumns }, (_, column) => ({
    column,
    peers: 0,
    failed: 0,
    numbers: new Array<number>(),
    holder: noHolder()
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
      entry.holder = id
      holders.add(id)
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
    reconstructable: held >= columnsToReconstruct,
    ...holdingsState(columns),
    holders: holders.size,
    sampled: (yield* selectVerdictsOf(connection, [slot])).map(verdictOf)
  }
})

const noHolder = (): number | undefined => undefined

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
