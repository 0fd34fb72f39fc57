import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Clock, Effect, Option } from "effect"
import { type Claim, sameClaim } from "../../../domain/peer/Claim.ts"
import type { FindingCounts } from "../../../domain/peer/Finding.ts"
import type { Probe } from "../../../domain/probe/Job.ts"
import { addOutcomes, noOutcomes, type OutcomeCounts } from "../../../domain/probe/Outcome.ts"
import { makeYielder } from "../../../runtime/YieldNow.ts"
import { maskOf } from "../../../domain/column/ColumnMask.ts"
import { type CoverageChunk, chunkKey, decodeChunk, emptyChunk, encodeChunk } from "../CoverageChunk.ts"
import { chunksCovered, coverProbe } from "../CoverProbe.ts"
import { failureRowsOf } from "./FailureRows.ts"
import { HistoryError, type PeerStanding } from "../History.ts"
import type { HistoryRecord } from "../HistoryRecord.ts"
import type { Orphans } from "../Orphans.ts"
import { type BlockKey, encodeSections, type OutcomeSection, sectionsOf } from "./OutcomeSections.ts"
import { changeOf, type PeerChange } from "../PeerChange.ts"
import { kindOnDay } from "../PeerKinds.ts"
import { WriteError } from "../Recorder.ts"
import { writeVerdict } from "./AvailabilityRows.ts"
import { explain } from "./SqliteFault.ts"
import { claimOf, only } from "./SqliteRows.ts"
import { makeSums } from "./Sums.ts"
import { dayOf } from "../../../domain/Day.ts"
import { inTransaction } from "./Transaction.ts"
import {
  agentNumber,
  blockNumber,
  custodyOf,
  forgetNumbers,
  knownBlock,
  remember,
  type WriterMemory
} from "../WriterMemory.ts"
import { claimsPerDay, claimToLeaveOut } from "../KeepClaims.ts"
import { writeFault } from "./GossipFaultRows.ts"
import { writeArrivals } from "./WriteArrivals.ts"
import { writeSums } from "./WriteSums.ts"
import {
  countClaim,
  deleteClaim,
  inOrder,
  insertClaim,
  insertFailures,
  insertProbe,
  selectChunk,
  selectNewestClaim,
  selectNewestClaims,
  selectProbe,
  updateTotals,
  upsertChunk,
  upsertFinding,
  upsertOrphan,
  upsertPeer,
  upsertStanding
} from "./WriteStatements.ts"

/**
 * Writes a batch in one transaction, the sums over it included: all of it, or nothing.
 *
 * The driver is synchronous; between records the event loop gets its turn.
 */
export const makeWriter = Effect.fn("SqliteWriter.make")(function* (
  sql: SqlClient.SqlClient
): Effect.fn.Return<Writer, HistoryError> {
  const memory = yield* remember(sql).pipe(
    Effect.mapError((cause) => new HistoryError({ operation: "open", reason: explain(cause).reason }))
  )
  const yieldIfDue = makeYielder(5)

  const writeAll = Effect.fnUntraced(function* (connection: Connection, batch: ReadonlyArray<HistoryRecord>) {
    const sums = makeSums(memory.clock)
    const totals = { probes: 0, outcomes: noOutcomes }
    const now = yield* Clock.currentTimeMillis
    for (const record of batch) {
      yield* yieldIfDue
      if (record._tag === "Orphan") {
        yield* writeOrphan(connection, record, memory.orphans)
        continue
      }
      if (record._tag === "Arrivals") {
        yield* writeArrivals(connection, record.arrivals, yieldIfDue)
        continue
      }
      if (record._tag === "Availability") {
        yield* writeVerdict(connection, record.verdict)
        continue
      }
      if (record._tag === "GossipFault") {
        yield* writeFault(connection, record.fault)
        continue
      }
      if (record._tag === "Probe" && (yield* selectProbe(connection, [record.probe.id])).length > 0) continue
      const change = changeOf(record)
      const peer = yield* writePeer(connection, change, now)
      totals.probes += change.probes
      totals.outcomes = addOutcomes(totals.outcomes, change.outcomes)
      if (record._tag === "Claim") yield* writeClaim(connection, peer.id, record.claim, memory.custody)
      if (record._tag === "Standing") yield* writeStanding(connection, peer.id, record.standing)
      if (record._tag === "Probe") {
        yield* writeProbe(connection, peer.id, record, change.outcomes, memory)
        const day = dayOf(record.probe.finishedAt)
        const { agent, custodyGroupCount } = kindOnDay(memory.kinds, peer.id, day, {
          agent: peer.agent ?? "",
          custodyGroupCount: yield* custodyOf(connection, peer.id, memory.custody)
        })
        const number = yield* agentNumber(connection, agent, day, memory.agents)
        sums.add(peer.id, number, custodyGroupCount, record.probe)
      }
    }
    yield* writeSums(connection, sums, yieldIfDue)
    if (totals.probes > 0) yield* updateTotals(connection, [totals.probes, ...inOrder(totals.outcomes)])
  })

  const write = (batch: ReadonlyArray<HistoryRecord>) =>
    inTransaction(sql, (connection) => writeAll(connection, batch)).pipe(
      // The numbers of rows that were written by this transaction are gone with it.
      Effect.tapError(() => Effect.sync(() => forgetNumbers(memory))),
      Effect.mapError((cause) => {
        const { passing, reason } = explain(cause)
        return new WriteError({ reason, passing })
      })
    )

  return {
    write,
    forget: Effect.sync(() => forgetNumbers(memory)),
    forgetOrphansBefore: (slot: number) => Effect.sync(() => memory.orphans.forgetBefore(slot))
  }
})

export interface Writer {
  readonly write: (batch: ReadonlyArray<HistoryRecord>) => Effect.Effect<void, WriteError>
  /** To be called when rows were deleted: what is remembered of them is looked up again. */
  readonly forget: Effect.Effect<void>
  /** To be called when nothing is covered any more before that slot. */
  readonly forgetOrphansBefore: (slot: number) => Effect.Effect<void>
}

const writePeer = Effect.fnUntraced(function* (connection: Connection, change: PeerChange, now: number) {
  const { conversations } = change
  const coverage = Option.getOrNull(change.coverage)
  const failure = Option.getOrNull(change.failure)
  const lastProbeAt = Option.getOrNull(change.lastProbeAt)
  const seenAt = Option.getOrNull(change.seenAt)
  const row = yield* only(
    upsertPeer(connection, [
      change.peerId,
      Option.getOrNull(change.agent),
      Option.getOrNull(change.address),
      seenAt,
      seenAt,
      lastProbeAt,
      failure?.sentence ?? null,
      failure?.blamed === true ? 1 : 0,
      coverage?.owed ?? null,
      coverage?.tested ?? null,
      coverage?.failed ?? null,
      coverage === null ? null : lastProbeAt,
      Option.getOrNull(change.blamedAt),
      now,
      change.probes,
      conversations.answered,
      conversations.unanswered,
      conversations.refused,
      change.recovered,
      ...inOrder(change.outcomes)
    ])
  )
  yield* writeFindings(connection, row.id, change.findings)
  return row
})

const writeFindings = (connection: Connection, peer: number, findings: FindingCounts) =>
  Effect.forEach(Object.entries(findings), ([kind, count]) => upsertFinding(connection, [peer, kind, count]), {
    discard: true
  })

const writeStanding = (connection: Connection, peer: number, standing: PeerStanding) => {
  const { evasion, restraint, score, suspicions } = standing
  return upsertStanding(connection, [
    peer,
    ...[suspicions, evasion, restraint, score].map((part) => JSON.stringify(part))
  ])
}

const writeClaim = Effect.fnUntraced(function* (
  connection: Connection,
  peer: number,
  claim: Claim,
  custody: Map<number, number>
) {
  custody.set(peer, claim.custodyGroupCount)
  const [newest] = yield* selectNewestClaim(connection, [peer])
  if (newest !== undefined && sameClaim(claimOf(newest), claim)) return
  yield* insertClaim(connection, [
    peer,
    claim.observedAt,
    claim.custodyGroupCount,
    claim.source,
    maskOf(claim.columns),
    claim.earliestAvailableSlot,
    claim.headSlot,
    claim.finalized?.epoch ?? null,
    claim.finalized?.root ?? null,
    claim.forkDigest,
    claim.sequenceNumber
  ])
  yield* countClaim(connection, [peer])
  const kept = yield* selectNewestClaims(connection, [peer, claimsPerDay + 1])
  const place = claimToLeaveOut(
    kept.map(({ custody_group_count, observed_at }) => ({
      custodyGroupCount: custody_group_count,
      observedAt: observed_at
    }))
  )
  const left = place === undefined ? undefined : kept[place]
  if (left !== undefined) yield* deleteClaim(connection, [left.id])
})

const writeProbe = Effect.fnUntraced(function* (
  connection: Connection,
  peer: number,
  { conversation, probe }: Extract<HistoryRecord, { readonly _tag: "Probe" }>,
  counts: OutcomeCounts,
  { blocks, orphans }: WriterMemory
) {
  const sections = sectionsOf(probe)
  const numbered: Array<OutcomeSection<number>> = []
  for (const { block, masks, slot } of sections) {
    numbered.push({ slot, masks, block: knownBlock(block, blocks) ?? (yield* blockNumber(connection, block, blocks)) })
  }
  const row = yield* only(
    insertProbe(connection, [
      probe.id,
      peer,
      conversation,
      probe.job.startSlot,
      probe.job.count,
      maskOf(probe.job.columns),
      probe.startedAt,
      probe.finishedAt,
      probe.timings.open,
      probe.timings.firstByte,
      probe.timings.total,
      probe.requests,
      probe.bytes,
      probe.purpose,
      probe.recovered,
      probe.findings.length === 0 ? null : JSON.stringify(probe.findings),
      encodeSections(numbered),
      ...inOrder(counts)
    ])
  )
  const failures = failureRowsOf(probe)
  if (failures.length > 0) yield* insertFailures(connection, [row.id, JSON.stringify(failures)])
  yield* writeCoverage(connection, peer, sections, probe, orphans)
})

const writeCoverage = Effect.fnUntraced(function* (
  connection: Connection,
  peer: number,
  sections: ReadonlyArray<OutcomeSection<BlockKey>>,
  probe: Probe,
  orphans: Orphans
) {
  const chunks = new Map<number, CoverageChunk>()
  for (const number of chunksCovered(sections)) {
    const [row] = yield* selectChunk(connection, [chunkKey(peer, number)])
    chunks.set(number, row === undefined ? emptyChunk() : decodeChunk(row.chunk))
  }
  coverProbe(chunks, sections, probe, orphans)
  for (const [number, chunk] of chunks) yield* upsertChunk(connection, [chunkKey(peer, number), encodeChunk(chunk)])
})

const writeOrphan = (
  connection: Connection,
  { at, root, slot }: Extract<HistoryRecord, { readonly _tag: "Orphan" }>,
  orphans: Orphans
) => Effect.tap(upsertOrphan(connection, [slot, root, at]), () => Effect.sync(() => orphans.add(slot, root, at)))
