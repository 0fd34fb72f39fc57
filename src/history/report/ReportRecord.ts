import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import type { PeerRecord, PeerRecordOptions } from "../../domain/report/Question.ts"
import { countsRow, type ReadError } from "./ReportRows.ts"
import { readFailing } from "../store/sqlite/ReadCoverage.ts"
import { selectStanding } from "../store/sqlite/ReadStatements.ts"
import { findingCountsOf, FindingRow, outcomeCountsOf, query, standingOf } from "../store/sqlite/SqliteRows.ts"

/** What is on record of a peer. */
export const peerRecord = Effect.fnUntraced(function* (
  connection: Connection,
  { failingSince = 0, peerId }: typeof PeerRecordOptions.Type
): Effect.fn.Return<typeof PeerRecord.Type, ReadError> {
  const [row] = yield* selectPeer(connection, [peerId])
  if (row === undefined) return null
  const { failed, owed, tested } = row
  const { evasion, suspicions } = standingOf(yield* selectStanding(connection, [row.id]))
  return {
    agent: row.agent,
    address: row.address,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    probes: row.probes,
    lastProbeAt: row.last_probe_at,
    lastFailure: row.failure,
    outcomes: outcomeCountsOf(row),
    findings: findingCountsOf(yield* selectFindings(connection, [row.id])),
    conversations: {
      answered: row.conversations_answered,
      unanswered: row.conversations_unanswered,
      refused: row.conversations_refused
    },
    coverage: owed === null || tested === null || failed === null ? null : { owed, tested, failed },
    recovered: row.recovered,
    claimChanges: row.claim_changes,
    failing: yield* readFailing(connection, peerId, failingSince, Effect.void),
    suspected: suspicions,
    evasion
  }
})

const selectPeer = query(
  "SELECT * FROM peers WHERE peer_id = ?",
  countsRow({
    id: Schema.Number,
    agent: Schema.NullOr(Schema.String),
    address: Schema.NullOr(Schema.String),
    first_seen: Schema.NullOr(Schema.Number),
    last_seen: Schema.NullOr(Schema.Number),
    probes: Schema.Number,
    last_probe_at: Schema.NullOr(Schema.Number),
    failure: Schema.NullOr(Schema.String),
    conversations_answered: Schema.Number,
    conversations_unanswered: Schema.Number,
    conversations_refused: Schema.Number,
    recovered: Schema.Number,
    claim_changes: Schema.Number,
    owed: Schema.NullOr(Schema.Number),
    tested: Schema.NullOr(Schema.Number),
    failed: Schema.NullOr(Schema.Number)
  })
)

const selectFindings = query("SELECT kind, count FROM findings WHERE peer = ?", FindingRow)
