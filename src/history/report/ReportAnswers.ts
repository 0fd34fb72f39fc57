import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, type Scope, ScopedRef } from "effect"
import { arrivals, slotArrivals } from "./ReportArrivals.ts"
import { availability } from "./ReportAvailability.ts"
import { compliance } from "./ReportCompliance.ts"
import { openForReading, unreadable } from "./ReportDatabase.ts"
import { extent } from "./ReportExtent.ts"
import { peerDays, untested, worst } from "./ReportPeers.ts"
import { claims, failures, probes } from "./ReportProbes.ts"
import { peerRecord } from "./ReportRecord.ts"
import type { ReadError } from "./ReportRows.ts"
import { ReportError, type Reports } from "./Reports.ts"
import { slot } from "./ReportSlot.ts"
import { slots } from "./ReportSlots.ts"
import { explain } from "../store/sqlite/SqliteFault.ts"

/**
 * Answers from the history at `path`, which is opened with the first question, and again after one that went wrong: the
 * file may be made, mended or replaced meanwhile. Each answer is of one moment, and nothing is held between questions,
 * so that the writer can always tidy up.
 */
export const makeAnswers = (path: string): Effect.Effect<Reports["Type"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const database = yield* ScopedRef.make((): SqlClient.SqlClient | undefined => undefined)
    const openedJust = Effect.filterOrDieMessage(
      ScopedRef.get(database),
      (sql) => sql !== undefined,
      "a database that was opened is not there"
    )
    const opened = Effect.flatMap(ScopedRef.get(database), (sql) =>
      sql === undefined
        ? Effect.zipRight(ScopedRef.set(database, openForReading(path)), openedJust)
        : Effect.succeed(sql)
    )
    const close = ScopedRef.set(database, Effect.succeed(undefined))
    const one = yield* Effect.makeSemaphore(1)

    const read = <A>(use: (connection: Connection) => Effect.Effect<A, ReadError>): Effect.Effect<A, ReportError> =>
      opened.pipe(
        Effect.flatMap((sql) => inReadTransaction(sql, use)),
        Effect.mapError((cause) => (cause instanceof ReportError ? cause : unreadable(path, explain(cause).reason))),
        Effect.tapError(() => close),
        one.withPermits(1)
      )

    return {
      compliance: (options) => read((connection) => compliance(connection, options)),
      worst: (options) => read((connection) => worst(connection, options)),
      untested: (options) => read((connection) => untested(connection, options)),
      slot: (options) => read((connection) => slot(connection, options)),
      probes: (options) => read((connection) => probes(connection, options)),
      failures: (options) => read((connection) => failures(connection, options)),
      peer: (options) => read((connection) => peerRecord(connection, options)),
      claims: (options) => read((connection) => claims(connection, options)),
      peerDays: (options) => read((connection) => peerDays(connection, options)),
      arrivals: (options) => read((connection) => arrivals(connection, options)),
      slotArrivals: (options) => read((connection) => slotArrivals(connection, options)),
      slots: (options) => read((connection) => slots(connection, options)),
      availability: (options) => read((connection) => availability(connection, options)),
      extent: read(extent)
    }
  })

const inReadTransaction = <A>(
  sql: SqlClient.SqlClient,
  use: (connection: Connection) => Effect.Effect<A, ReadError>
): Effect.Effect<A, ReadError> =>
  Effect.scoped(
    Effect.flatMap(sql.reserve, (connection) =>
      Effect.acquireUseRelease(
        connection.executeRaw("BEGIN", []),
        () => use(connection),
        () => Effect.ignore(connection.executeRaw("COMMIT", []))
      )
    )
  )
