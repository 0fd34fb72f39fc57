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
