import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Exit } from "effect"
import { type Claim, sameClaim } from "../domain/Claim.ts"
import { settles } from "../domain/Coverage.ts"
import type { FindingCounts } from "../domain/Finding.ts"
import type { Probe } from "../domain/Job.ts"
import { addOutcomes, noOutcomes, type OutcomeCounts, outcomeKinds } from "../domain/Outcome.ts"
import { makeBreathe } from "./Breathe.ts"
import { columnsOf, maskOf } from "./ColumnMask.ts"
import { type CoverageChunk, chunkOf, cover, decodeChunk, emptyChunk, encodeChunk } from "./CoverageChunk.ts"
import { failureRowsOf } from "./FailureRows.ts"
import type { Conversation } from "./History.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { type BlockKey, encodeSections, type OutcomeSection, sectionsOf } from "./OutcomeSections.ts"
import { changeOf, type PeerChange } from "./PeerChange.ts"
import { WriteError } from "./Recorder.ts"
import { explain } from "./SqliteFault.ts"
import { claimOf } from "./SqliteRows.ts"
import {
  insertBlock,
  insertClaim,
  insertFailures,
  insertProbe,
  selectBlock,
  selectChunk,
  selectNewestClaim,
  selectProbe,
  updateTotals,
  upsertChunk,
  upsertFinding,
  upsertPeer
} from "./WriteStatements.ts"

/** The key of a peer's chunk in `coverage`: a peer's chunks lie side by side, ascending. */
export const chunkKey = (peer: number, chunk: number): number => peer * 2 ** 24 + chunk

/**
 * Writes a batch in one transaction, the sums over it included: all of it, or nothing.
 *
 * The driver is synchronous; between records the event loop gets its turn.
 */
export const makeWriter = (
  sql: SqlClient.SqlClient
): ((batch: ReadonlyArray<HistoryRecord>) => Effect.Effect<void, WriteError>) => {
  const blocks: KnownBlocks = new Map()
  const breathe = makeBreathe(5)

  const writeAll = Effect.fnUntraced(function* (connection: Connection, batch: ReadonlyArray<HistoryRecord>) {
    const sums = { probes: 0, outcomes: noOutcomes }
    for (const record of batch) {
      yield* breathe
      if (record._tag === "Probe" && (yield* selectProbe(connection, [record.probe.id])).length > 0) continue
      const change = changeOf(record)
      const peer = yield* writePeer(connection, change)
      sums.probes += change.probes
      sums.outcomes = addOutcomes(sums.outcomes, change.outcomes)
      if (record._tag === "Claim") yield* writeClaim(connection, peer, record.claim)
      if (record._tag === "Probe") {
        yield* writeProbe(connection, peer, record.probe, record.conversation, change.outcomes, blocks)
      }
    }
    if (sums.probes > 0) yield* updateTotals(connection, [sums.probes, ...inOrder(sums.outcomes)])
  })

  return (batch) =>
    Effect.scoped(
      Effect.flatMap(sql.reserve, (connection) =>
        Effect.acquireUseRelease(
          connection.executeRaw("BEGIN IMMEDIATE", []),
          () => Effect.zipRight(writeAll(connection, batch), connection.executeRaw("COMMIT", [])),
          (_, exit) => {
            if (Exit.isSuccess(exit)) return Effect.void
            // The numbers of blocks that were written by this transaction are gone with it.
            blocks.clear()
            return Effect.ignore(connection.executeRaw("ROLLBACK", []))
          }
        )
      )
    ).pipe(
      Effect.mapError((cause) => {
        const { passing, reason } = explain(cause)
        return new WriteError({ reason, passing })
      })
    )
}

const writePeer = Effect.fnUntraced(function* (connection: Connection, change: PeerChange) {
  const { conversations, failure } = change
  const row = yield* only(
    upsertPeer(connection, [
      change.peerId,
      change.agent,
      change.address,
      change.seenAt,
      change.seenAt,
      change.lastProbeAt,
      failure?.sentence ?? null,
      failure?.blamed === true ? 1 : 0,
      change.probes,
      conversations.answered,
      conversations.unanswered,
      conversations.refused,
      ...inOrder(change.outcomes)
    ])
  )
  yield* writeFindings(connection, row.id, change.findings)
  return row.id
})

const writeFindings = (connection: Connection, peer: number, findings: FindingCounts) =>
  Effect.forEach(Object.entries(findings), ([kind, count]) => upsertFinding(connection, [peer, kind, count]), {
    discard: true
  })

const writeClaim = Effect.fnUntraced(function* (connection: Connection, peer: number, claim: Claim) {
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
    claim.forkDigest,
    claim.sequenceNumber
  ])
})

const writeProbe = Effect.fnUntraced(function* (
  connection: Connection,
  peer: number,
  probe: Probe,
  conversation: Conversation,
  counts: OutcomeCounts,
  blocks: KnownBlocks
) {
  const sections = sectionsOf(probe)
  const numbered: Array<OutcomeSection<number>> = []
  for (const section of sections) {
    numbered.push({ ...section, block: yield* blockNumber(connection, section.block, blocks) })
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
      probe.findings.length === 0 ? null : JSON.stringify(probe.findings),
      encodeSections(numbered),
      ...inOrder(counts)
    ])
  )
  const failures = failureRowsOf(probe)
  if (failures.length > 0) yield* insertFailures(connection, [row.id, JSON.stringify(failures)])
  yield* writeCoverage(connection, peer, sections, probe.finishedAt)
})

/** The number of a block in the database, which gets to know it if it does not. */
const blockNumber = Effect.fnUntraced(function* (connection: Connection, block: BlockKey, known: KnownBlocks) {
  const found = known.get(block.slot)
  if (found !== undefined && found.root === block.root && found.blobs === block.blobs) return found.id
  const parameters = [block.slot, block.root, block.blobs]
  const [row = yield* only(insertBlock(connection, parameters))] = yield* selectBlock(connection, parameters)
  if (known.size >= knownBlocks) known.clear()
  known.set(block.slot, { root: block.root, blobs: block.blobs, id: row.id })
  return row.id
})

const writeCoverage = Effect.fnUntraced(function* (
  connection: Connection,
  peer: number,
  sections: ReadonlyArray<OutcomeSection<BlockKey>>,
  at: number
) {
  const chunks = new Map<number, CoverageChunk>()
  for (const { masks, slot } of sections) {
    for (const [kind, mask] of masks) {
      if (!settles(kind)) continue
      const key = chunkKey(peer, chunkOf(slot))
      let chunk = chunks.get(key)
      if (chunk === undefined) {
        const [row] = yield* selectChunk(connection, [key])
        chunk = row === undefined ? emptyChunk() : decodeChunk(row.chunk)
        chunks.set(key, chunk)
      }
      cover(chunk, slot, columnsOf(mask), kind === "success", at)
    }
  }
  for (const [key, chunk] of chunks) yield* upsertChunk(connection, [key, encodeChunk(chunk)])
})

/** By slot: the block that outcomes were last held against, and its number. */
type KnownBlocks = Map<number, Omit<BlockKey, "slot"> & { readonly id: number }>

/** The slots of 18 days and some. */
const knownBlocks = 150_000

/** The row of a statement that always returns one. */
const only = <A, E>(rows: Effect.Effect<ReadonlyArray<A>, E>): Effect.Effect<A, E> =>
  Effect.flatMap(rows, ([row]) =>
    row === undefined ? Effect.dieMessage("a statement that returns a row returned none") : Effect.succeed(row)
  )

const inOrder = (counts: OutcomeCounts): ReadonlyArray<number> => outcomeKinds.map((kind) => counts[kind])
