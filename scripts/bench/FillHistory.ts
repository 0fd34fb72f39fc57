import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Clock, Effect, Option } from "effect"
import { noOutcomes, type OutcomeCounts, outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import { maskOf } from "../../src/domain/column/ColumnMask.ts"
import { type CoverageChunk, chunkKey, emptyChunk, encodeChunk } from "../../src/history/store/CoverageChunk.ts"
import { chunksCovered, coverProbe } from "../../src/history/store/CoverProbe.ts"
import { openDatabase } from "../../src/history/store/sqlite/Database.ts"
import { failureRowsOf } from "../../src/history/store/sqlite/FailureRows.ts"
import { HistoryRecord } from "../../src/history/store/HistoryRecord.ts"
import { makeOrphans } from "../../src/history/store/Orphans.ts"
import { encodeSections, sectionsOf } from "../../src/history/store/sqlite/OutcomeSections.ts"
import { execute, only } from "../../src/history/store/sqlite/SqliteRows.ts"
import { makeWriter } from "../../src/history/store/sqlite/SqliteWriter.ts"
import { makeSums } from "../../src/history/store/sqlite/Sums.ts"
import { dayOf } from "../../src/domain/Day.ts"
import { inTransaction } from "../../src/history/store/sqlite/Transaction.ts"
import {
  inOrder,
  insertFailures,
  insertProbe,
  updateTotals,
  upsertChunk
} from "../../src/history/store/sqlite/WriteStatements.ts"
import { agentNumber, blockNumber, knownBlock, remember } from "../../src/history/store/WriterMemory.ts"
import { writeSums } from "../../src/history/store/sqlite/WriteSums.ts"
import {
  agentOf,
  benchNetwork,
  claimOf,
  columnsPerProbe,
  combinationsPerProbe,
  peerIdOf,
  probeOf
} from "./HistoryProbes.ts"

interface FillOptions {
  readonly path: string
  readonly combinations: number
  readonly peers: number
  readonly days: number
}

/**
 * Writes a history of `combinations` combinations, spread evenly over the last `days` days and `peers` regular peers.
 * What is written is what the recorder would have written, each row once, when all that it holds is known. Gives the
 * combinations written.
 */
export const fillHistory = (options: FillOptions) =>
  Effect.gen(function* () {
    const sql = yield* openDatabase(options.path, benchNetwork)
    // Nobody needs this file if the machine fails now.
    yield* sql.unsafe("PRAGMA synchronous = OFF")
    yield* sql.unsafe("PRAGMA cache_size = -262144")
    const now = yield* Clock.currentTimeMillis
    const start = now - options.days * 86_400_000
    const { write } = yield* makeWriter(sql)
    for (const peers of slicesOf(options.peers, 1000)) {
      yield* write(
        peers.flatMap((peer) => [
          HistoryRecord.Peer({
            peerId: peerIdOf(peer),
            agent: Option.some(agentOf(peer)),
            address: Option.some("/ip4/10.0.0.1"),
            at: start
          }),
          HistoryRecord.Claim({ peerId: peerIdOf(peer), claim: claimOf(peer, start) })
        ])
      )
    }
    const probes = Math.ceil(options.combinations / combinationsPerProbe)
    yield* writeProbes(sql, { ...options, probes, start, now })
    yield* writeCoverage(sql, { ...options, probes, start, now })
    yield* sql.unsafe("PRAGMA optimize")
    return probes * combinationsPerProbe
  }).pipe(Effect.scoped)

/** With `probes` in all, evenly from `start` to `now` (Unix milliseconds), peer after peer. */
type Plan = FillOptions & { readonly probes: number; readonly start: number; readonly now: number }

const probeAt = ({ now, peers, probes, start }: Plan, n: number) =>
  probeOf(n % peers, Math.floor(n / peers), start + ((now - start) * n) / probes, now)

/** Peers get their numbers in the order in which they are written. */
const numberOf = (peer: number): number => peer + 1

const writeProbes = Effect.fn("fillHistory.probes")(function* (sql: SqlClient.SqlClient, plan: Plan) {
  const memory = yield* remember(sql)
  const sums = makeSums(memory.clock)
  const totals: { -readonly [K in keyof OutcomeCounts]: number } = { ...noOutcomes }

  const writeProbe = Effect.fnUntraced(function* (connection: Connection, n: number) {
    const probe = probeAt(plan, n)
    const peer = n % plan.peers
    const sections = []
    for (const { block, masks, slot } of sectionsOf(probe)) {
      const known = knownBlock(block, memory.blocks) ?? (yield* blockNumber(connection, block, memory.blocks))
      sections.push({ slot, masks, block: known })
    }
    const counts = { ...totals }
    for (const { outcome } of probe.outcomes) totals[outcome]++
    for (const kind of outcomeKinds) counts[kind] = totals[kind] - counts[kind]
    const { finishedAt, id, job, startedAt, timings } = probe
    const asked = [job.startSlot, job.count, maskOf(job.columns), startedAt, finishedAt]
    const took = [timings.open, timings.firstByte, timings.total, probe.requests, probe.bytes]
    const outcomes = [probe.purpose, probe.recovered, null, encodeSections(sections), ...inOrder(counts)]
    const row = yield* only(insertProbe(connection, [id, numberOf(peer), "answered", ...asked, ...took, ...outcomes]))
    const failures = failureRowsOf(probe)
    if (failures.length > 0) yield* insertFailures(connection, [row.id, JSON.stringify(failures)])
    const agent = yield* agentNumber(connection, agentOf(peer), dayOf(finishedAt), memory.agents)
    sums.add(numberOf(peer), agent, columnsPerProbe, probe)
  })

  for (const slice of slicesOf(plan.probes, 10_000)) {
    yield* inTransaction(sql, (connection) =>
      Effect.forEach(slice, (n) => writeProbe(connection, n), { discard: true })
    )
  }
  yield* inTransaction(sql, (connection) =>
    Effect.gen(function* () {
      yield* writeSums(connection, sums, Effect.void)
      yield* updateTotals(connection, [plan.probes, ...inOrder(totals)])
      yield* updatePeers(connection, [plan.now])
    })
  )
})

const writeCoverage = Effect.fn("fillHistory.coverage")(function* (sql: SqlClient.SqlClient, plan: Plan) {
  const orphans = makeOrphans()
  for (const peers of slicesOf(plan.peers, 100)) {
    yield* inTransaction(sql, (connection) =>
      Effect.gen(function* () {
        for (const peer of peers) {
          const chunks = new Map<number, CoverageChunk>()
          for (let n = peer; n < plan.probes; n += plan.peers) {
            const probe = probeAt(plan, n)
            const sections = sectionsOf(probe)
            for (const number of chunksCovered(sections)) if (!chunks.has(number)) chunks.set(number, emptyChunk())
            coverProbe(chunks, sections, probe, orphans)
          }
          for (const [number, chunk] of chunks) {
            yield* upsertChunk(connection, [chunkKey(numberOf(peer), number), encodeChunk(chunk)])
          }
        }
      })
    )
  }
})

const updatePeers = execute(
  `UPDATE peers SET last_seen = ended, last_probe_at = ended, recorded_at = ended, coverage_at = ended,
    conversations_answered = found.probes, owed = 1048576, tested = found.probes * ${combinationsPerProbe},
    failed = found.missing, probes = found.probes,
    ${outcomeKinds.map((kind) => `${kind} = found.${kind}`).join(", ")}
  FROM (
    SELECT peer, CAST(? AS REAL) AS ended, sum(probes) AS probes,
      ${outcomeKinds.map((kind) => `sum(${kind}) AS ${kind}`).join(", ")}
    FROM sums GROUP BY peer
  ) AS found WHERE found.peer = peers.id`
)

/** The numbers below `count`, ascending, in slices. */
const slicesOf = function* (count: number, size: number) {
  for (let from = 0; from < count; from += size) {
    yield Array.from({ length: Math.min(size, count - from) }, (_, index) => from + index)
  }
}
