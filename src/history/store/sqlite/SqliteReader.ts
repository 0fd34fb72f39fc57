import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Effect, Option, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import type { CoverageCounts } from "../../../domain/probe/Coverage.ts"
import type { Outcome, Probe } from "../../../domain/probe/Job.ts"
import { noOutcomes, outcomeKinds } from "../../../domain/probe/Outcome.ts"
import { noConversations } from "../../../domain/peer/Verdict.ts"
import { makeYielder } from "../../../runtime/YieldNow.ts"
import { columnsOf } from "../../../domain/column/ColumnMask.ts"
import { failureFinder } from "./FailureRows.ts"
import { readFaults } from "./GossipFaultRows.ts"
import { HistoryError, noStanding, type PeerHistory } from "../History.ts"
import { decodeSections } from "./OutcomeSections.ts"
import { readCoverage, readFailing } from "./ReadCoverage.ts"
import { claimsOf, selectClaims, selectFailures, selectStanding } from "./ReadStatements.ts"
import { explain } from "./SqliteFault.ts"
import {
  BlockRow,
  findingCountsOf,
  FindingRow,
  outcomeCountsOf,
  PeerRow,
  probeOf,
  ProbeRow,
  query,
  standingOf,
  TotalsRow
} from "./SqliteRows.ts"

/** Answers what History asks from the database. */
export const makeReader = (sql: SqlClient.SqlClient) => {
  const read = <A>(
    operation: string,
    use: (connection: Connection) => Effect.Effect<A, SqlError | ParseError>
  ): Effect.Effect<A, HistoryError> =>
    Effect.scoped(Effect.flatMap(sql.reserve, use)).pipe(
      Effect.mapError((cause) => new HistoryError({ operation, reason: explain(cause).reason })),
      Effect.tapError((error) => warnSeldom(`${error.message}; what cannot be read is asked for again`))
    )
  const warnSeldom = makeSeldomWarning()
  // One for all questions: many short ones in a row would hold the thread as one long one would.
  const yieldIfDue = makeYielder(5)
  return {
    peer: (peerId: string) => read("peer", (connection) => readPeer(connection, peerId)),
    claims: (peerId: string) =>
      read("claims", (connection) => Effect.map(selectClaims(connection, [peerId, -1]), claimsOf)),
    gossipFaults: (peerId: string) => read("gossip faults", (connection) => readFaults(connection, peerId)),
    probe: (id: string) => read("probe", (connection) => readProbe(connection, id)),
    coverage: (peerId: string, fromSlot: number) =>
      read("coverage", (connection) => readCoverage(connection, peerId, Math.max(0, fromSlot), yieldIfDue)),
    failing: (peerId: string, since: number) =>
      read("failing", (connection) => readFailing(connection, peerId, since, yieldIfDue)),
    blocks: (fromSlot: number) => read("blocks", (connection) => selectBlocksFrom(connection, [fromSlot])),
    totals: read("totals", (connection) =>
      Effect.map(selectTotals(connection, []), ([row]) => ({
        probes: row?.probes ?? 0,
        outcomes: row === undefined ? noOutcomes : outcomeCountsOf(row)
      }))
    )
  }
}

/** Thousands of peers run into the same fault every few seconds: one of them says so, and that again after a while. */
const makeSeldomWarning = () => {
  let last = -Infinity
  return (message: string): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now - last < warningIntervalMs) return Effect.logDebug(message)
      last = now
      return Effect.logWarning(message)
    })
}

const warningIntervalMs = 600_000

const readPeer = Effect.fnUntraced(function* (connection: Connection, peerId: string) {
  const [row] = yield* selectPeer(connection, [peerId])
  if (row === undefined) return unknownPeer
  const findings = yield* selectFindings(connection, [row.id])
  return {
    agent: Option.fromNullable(row.agent),
    address: Option.fromNullable(row.address),
    outcomes: outcomeCountsOf(row),
    conversations: {
      answered: row.conversations_answered,
      unanswered: row.conversations_unanswered,
      refused: row.conversations_refused
    },
    findings: findingCountsOf(findings),
    lastProbeAt: Option.fromNullable(row.last_probe_at),
    lastFailure: Option.fromNullable(row.failure),
    coverage:
      row.owed === null || row.tested === null || row.failed === null
        ? Option.none<CoverageCounts>()
        : Option.some({ owed: row.owed, tested: row.tested, failed: row.failed }),
    standing: standingOf(yield* selectStanding(connection, [row.id])),
    recovered: row.recovered,
    blamedAt: Option.fromNullable(row.blamed_at)
  }
})

const unknownPeer: PeerHistory = {
  agent: Option.none(),
  address: Option.none(),
  outcomes: noOutcomes,
  conversations: noConversations,
  findings: {},
  lastProbeAt: Option.none(),
  lastFailure: Option.none(),
  coverage: Option.none(),
  standing: noStanding,
  recovered: 0,
  blamedAt: Option.none()
}

const readProbe = Effect.fnUntraced(function* (connection: Connection, id: string) {
  const [row] = yield* selectProbe(connection, [id])
  if (row === undefined) return Option.none<Probe>()
  const failures = yield* selectFailures(connection, [row.id])
  return Option.some<Probe>({
    id,
    ...probeOf(row),
    outcomes: yield* readOutcomes(connection, row.outcomes, failureFinder(failures)),
    findings: row.findings ?? []
  })
})

const readOutcomes = Effect.fnUntraced(function* (
  connection: Connection,
  bytes: Uint8Array,
  failure: ReturnType<typeof failureFinder>
) {
  const sections = decodeSections(bytes)
  const numbers = JSON.stringify(sections.map(({ block }) => block))
  const blocks = new Map((yield* selectBlocks(connection, [numbers])).map((row) => [row.id, row]))
  const outcomes: Array<Outcome> = []
  for (const { block, masks, slot } of sections) {
    const { blobs = 0, root: blockRoot = "" } = blocks.get(block) ?? {}
    for (const outcome of outcomeKinds) {
      for (const column of columnsOf(masks.get(outcome) ?? new Uint8Array())) {
        const why = outcome === "success" ? undefined : failure(outcome, slot, column)
        outcomes.push({
          slot,
          column,
          outcome,
          ...(why === undefined || why.suspicion === null ? {} : { suspicion: why.suspicion }),
          ...(why === undefined || why.check === null ? {} : { check: why.check }),
          ...(why === undefined || why.reason === null ? {} : { reason: why.reason }),
          blockRoot,
          blobs
        })
      }
    }
  }
  return outcomes.sort((a, b) => a.slot - b.slot || a.column - b.column)
})

const kinds = outcomeKinds.join(", ")

const selectPeer = query(
  `SELECT id, agent, address, last_probe_at, failure, recovered, blamed_at, owed, tested, failed, conversations_answered,
    conversations_unanswered, conversations_refused, ${kinds}
  FROM peers WHERE peer_id = ?`,
  PeerRow
)

const selectFindings = query("SELECT kind, count FROM findings WHERE peer = ?", FindingRow)

const selectProbe = query(
  "SELECT probes.*, peers.peer_id FROM probes JOIN peers ON peers.id = probes.peer WHERE probes.uuid = ?",
  ProbeRow
)

const selectBlocks = query(
  "SELECT id, slot, root, blobs FROM blocks WHERE id IN (SELECT value FROM json_each(?))",
  BlockRow
)

const selectBlocksFrom = query(
  `SELECT DISTINCT slot, root FROM blocks WHERE slot >= ?
    AND NOT EXISTS (SELECT 1 FROM orphans WHERE orphans.slot = blocks.slot AND orphans.root = blocks.root)`,
  Schema.Struct({ slot: Schema.Number, root: Schema.String })
)

const selectTotals = query(`SELECT probes, ${kinds} FROM totals`, TotalsRow)
