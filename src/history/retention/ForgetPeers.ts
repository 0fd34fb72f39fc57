import { Effect, Schema } from "effect"
import type { Slices } from "./Slices.ts"
import { execute, IdRow, query } from "../store/sqlite/SqliteRows.ts"
import { dayMs } from "../../domain/Day.ts"
import type { Writer } from "../store/sqlite/SqliteWriter.ts"

/**
 * Deletes claims that were followed by another before `claimsBefore`, so that of each peer the claim in force then is
 * kept with all that came after it; and the peers of which nothing was recorded since `cutoff`, and some. Moments are
 * Unix milliseconds.
 */
export const forgetPeers = (
  slices: Slices,
  writer: Writer,
  { claimsBefore, cutoff }: { readonly claimsBefore: number; readonly cutoff: number }
) => {
  let last = 0
  return slices((connection, size) =>
    Effect.gen(function* () {
      const peers = yield* selectPeers(connection, [last, size])
      const first = last
      last = peers.at(-1)?.id ?? last
      yield* deleteClaims(connection, [first, last, claimsBefore])
      // Sums are kept to the end of their day: a day later nothing can be left of the peer.
      for (const { id, recorded_at } of peers) {
        if (recorded_at === null || recorded_at >= cutoff - 2 * dayMs) continue
        if ((yield* selectProbe(connection, [id])).length > 0) continue
        for (const statement of deletePeer) yield* statement(connection, [id])
        yield* writer.forget
      }
      return peers.length >= size
    })
  )
}

/**
 * Forgets peers of whom nothing was ever tested and nothing is suspected sooner than others: those not heard of since
 * `before`, and the oldest of very many. Strangers that come once and leave would otherwise fill the file.
 */
export const forgetStrangers = (slices: Slices, writer: Writer, before: number) =>
  slices((connection, size) =>
    Effect.gen(function* () {
      const [newest] = yield* selectNthStranger(connection, [mostStrangers])
      const strangers = yield* selectStrangers(connection, [Math.max(before, newest?.recorded_at ?? before), size])
      for (const { id } of strangers) for (const statement of deletePeer) yield* statement(connection, [id])
      if (strangers.length > 0) yield* writer.forget
      return strangers.length >= size
    })
  )

/** Peers on record of whom nothing was tested. */
const mostStrangers = 10_000

const stranger = "probes = 0 AND coverage_at IS NULL AND blamed_at IS NULL"

const selectNthStranger = query(
  `SELECT recorded_at FROM peers INDEXED BY peers_untested WHERE ${stranger} ORDER BY recorded_at DESC LIMIT 1 OFFSET ?`,
  Schema.Struct({ recorded_at: Schema.NullOr(Schema.Number) })
)

const selectStrangers = query(
  `SELECT id FROM peers INDEXED BY peers_untested WHERE ${stranger} AND recorded_at <= ? ORDER BY recorded_at LIMIT ?`,
  IdRow
)

const selectPeers = query(
  "SELECT id, recorded_at FROM peers WHERE id > ? ORDER BY id LIMIT ?",
  Schema.Struct({ id: Schema.Number, recorded_at: Schema.NullOr(Schema.Number) })
)

const deleteClaims = execute(
  `DELETE FROM claims WHERE peer > ? AND peer <= ? AND EXISTS (
    SELECT 1 FROM claims AS later
    WHERE later.peer = claims.peer AND later.id > claims.id AND later.observed_at < ?
  )`
)

const selectProbe = query("SELECT id FROM probes WHERE peer = ? LIMIT 1", IdRow)

const deletePeer = [
  execute("DELETE FROM standings WHERE peer = ?"),
  execute("DELETE FROM findings WHERE peer = ?"),
  execute("DELETE FROM claims WHERE peer = ?"),
  execute("DELETE FROM peers WHERE id = ?")
]
