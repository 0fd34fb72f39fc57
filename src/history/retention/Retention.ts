import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Duration, Effect, Metric, Schedule, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import { slotAt } from "../../domain/network/Chain.ts"
import { historyDeletedRows } from "../../domain/metrics/Metrics.ts"
import { chunkKey, chunkOf, slotsPerChunk } from "../store/CoverageChunk.ts"
import { forgetPeers, forgetStrangers } from "./ForgetPeers.ts"
import { incrementalVacuum } from "./IncrementalVacuum.ts"
import type { NetworkIdentity } from "../store/sqlite/NetworkOwner.ts"
import { makeSlices, type Slices } from "./Slices.ts"
import { blocksPerSlot } from "../store/sqlite/ArrivalRows.ts"
import { explain } from "../store/sqlite/SqliteFault.ts"
import { dayMs, dayOf } from "../../domain/Day.ts"
import { daemon } from "../../runtime/Daemon.ts"
import type { Writer } from "../store/sqlite/SqliteWriter.ts"

export interface RetentionOptions {
  /** How long is kept what was recorded. */
  readonly retention: Duration.Duration
  readonly network: NetworkIdentity
}

/**
 * Deletes what is older than the retention and gives its space back, for as long as the scope is open: a slice of a few
 * milliseconds at a time, the writer and everybody else in between.
 */
export const keepToRetention = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  writer: Writer,
  options: RetentionOptions
) {
  const { retention } = options
  // A program that starts has other things to do.
  const start = yield* Effect.once(Effect.sleep(Duration.times(retention, 5e-6)))
  const pass = retentionPass(sql, writer, options).pipe(
    Effect.catchAll((error) =>
      Effect.logWarning(`what is older than the retention cannot be deleted: ${explain(error).reason}`)
    )
  )
  const pause = Duration.min(Duration.minutes(10), Duration.times(retention, 0.1))
  yield* daemon("retention of the history", Effect.zipRight(start, pass), Schedule.spaced(pause))
})

/** Deletes once everything that is too old by now. */
export const retentionPass = (
  sql: SqlClient.SqlClient,
  writer: Writer,
  { network, retention }: RetentionOptions
): Effect.Effect<void, SqlError | ParseError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const slices = makeSlices(sql)
    const cutoff = now - Duration.toMillis(retention)
    const firstChunk = chunkOf(Math.max(0, slotAt(network, cutoff)))
    // Failures go with their probe.
    yield* deleteAll(slices, "probes WHERE finished_at < ?", cutoff)
    yield* deleteAll(slices, "coverage WHERE id < ?", chunkKey(0, firstChunk))
    const firstSlot = firstChunk * slotsPerChunk
    yield* deleteAll(slices, "orphans WHERE slot < ?", firstSlot, writer.forgetOrphansBefore(firstSlot))
    yield* deleteAll(slices, "arrivals WHERE id < ?", Math.max(0, slotAt(network, cutoff)) * blocksPerSlot)
    yield* deleteAll(slices, "gossip_faults WHERE at < ?", cutoff)
    yield* deleteAll(slices, "arrival_peers WHERE day < ?", dayOf(cutoff))
    yield* deleteAll(slices, "availability WHERE slot < ?", firstSlot)
    for (const table of ["sums", "column_sums", "age_sums", "arrival_sums", "arrival_columns"]) {
      yield* deleteAll(slices, `${table} WHERE day < ?`, dayOf(cutoff))
    }
    yield* deleteAll(slices, "agents WHERE day < ?", dayOf(cutoff), writer.forget)
    // A probe that is kept may be of a slot that was as old as peers must serve when it was made.
    const servedMs = network.retentionEpochs * network.slotsPerEpoch * network.slotDurationMs
    yield* deleteAll(slices, "blocks WHERE slot < ?", slotAt(network, cutoff - servedMs - dayMs), writer.forget)
    // What a peer owes of a slot is told by its claims since then.
    yield* forgetPeers(slices, writer, { claimsBefore: Math.min(cutoff, now - servedMs - dayMs), cutoff })
    yield* forgetStrangers(slices, writer, now - Math.min(dayMs, Duration.toMillis(retention)))
    yield* incrementalVacuum(slices)
  })

/** `rows`: a table and the condition on its rows, which one parameter completes. */
const deleteAll = (slices: Slices, rows: string, parameter: number, meanwhile: Effect.Effect<void> = Effect.void) => {
  const statement = `DELETE FROM ${rows} LIMIT ?`
  return slices((connection, size) =>
    Effect.gen(function* () {
      const changes = yield* changesOf(connection, statement, [parameter, size])
      // In the same transaction, so that nobody goes by a row that is gone.
      if (changes > 0) yield* meanwhile
      yield* Metric.incrementBy(historyDeletedRows, changes)
      return changes >= size
    })
  )
}

const changesOf = (connection: Connection, statement: string, parameters: ReadonlyArray<unknown>) =>
  Effect.flatMap(connection.executeRaw(statement, parameters), (result) =>
    Effect.map(decodeResult(result), ({ changes }) => changes)
  )

const decodeResult = Schema.decodeUnknown(Schema.Struct({ changes: Schema.Number }))
