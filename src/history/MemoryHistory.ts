import { Effect, Layer, Option } from "effect"
import { type Claim, sameClaim } from "../domain/Claim.ts"
import { coverWith, settles, untested } from "../domain/Coverage.ts"
import { addOutcomes, noOutcomes, type OutcomeCounts } from "../domain/Outcome.ts"
import type { Outcome, Probe } from "../domain/Job.ts"
import { type FindingCounts, FindingKind } from "../domain/Finding.ts"
import { noConversations } from "../domain/Verdict.ts"
import { type CoverageRow, History, type PeerHistory } from "./History.ts"
import { HistoryRecord } from "./HistoryRecord.ts"
import { changeOf, type Failure, newestFailure, type PeerChange } from "./PeerChange.ts"

/** A history that ends with the program. It keeps the newest 10,000 probes, and all that it sums up from them. */
export const layer: Layer.Layer<History> = Layer.sync(History, () => {
  const peers = new Map<string, PeerMemory>()
  const probes = new Map<string, Probe>()
  const totals: { probes: number; outcomes: OutcomeCounts } = { probes: 0, outcomes: noOutcomes }

  const record = (record: HistoryRecord) =>
    Effect.sync(() => {
      if (record._tag === "Probe" && probes.has(record.probe.id)) return
      const change = changeOf(record)
      const peer = peers.get(change.peerId) ?? newPeer()
      peers.set(change.peerId, peer)
      apply(peer, change)
      totals.probes += change.probes
      totals.outcomes = addOutcomes(totals.outcomes, change.outcomes)
      if (record._tag === "Claim") addClaim(peer, record.claim)
      if (record._tag !== "Probe") return
      for (const outcome of record.probe.outcomes) cover(peer, outcome, record.probe.finishedAt)
      probes.set(record.probe.id, record.probe)
      for (const oldest of probes.keys()) {
        if (probes.size <= keptProbes) break
        probes.delete(oldest)
      }
    })

  return History.of({
    recordProbe: (probe, conversation) => record(HistoryRecord.Probe({ probe, conversation })),
    recordConversation: (peerId, conversation, failure, at) =>
      record(HistoryRecord.Conversation({ peerId, conversation, failure, at })),
    recordClaim: (peerId, claim) => record(HistoryRecord.Claim({ peerId, claim })),
    recordFindings: (peerId, findings) => record(HistoryRecord.Findings({ peerId, findings })),
    recordPeer: (peerId, seen) => record(HistoryRecord.Peer({ peerId, ...seen })),
    flush: Effect.void,
    peer: (peerId) => Effect.sync(() => historyOf(peers.get(peerId) ?? newPeer())),
    claims: (peerId) => Effect.sync(() => [...(peers.get(peerId)?.claims ?? [])]),
    probe: (id) => Effect.sync(() => Option.map(Option.fromNullable(probes.get(id)), inOrder)),
    coverage: (peerId, fromSlot) =>
      Effect.sync(() =>
        [...(peers.get(peerId)?.coverage.values() ?? [])]
          .filter(({ slot }) => slot >= fromSlot)
          .sort((a, b) => a.slot - b.slot)
      ),
    totals: Effect.sync(() => ({ ...totals }))
  })
})

const keptProbes = 10_000

interface PeerMemory {
  sums: Omit<PeerHistory, "lastFailure">
  failure: Failure | null
  readonly claims: Array<Claim>
  readonly coverage: Map<number, CoverageRow>
}

const newPeer = (): PeerMemory => ({
  sums: { outcomes: noOutcomes, conversations: noConversations, findings: {}, lastProbeAt: null },
  failure: null,
  claims: [],
  coverage: new Map()
})

const historyOf = ({ failure, sums }: PeerMemory): PeerHistory => ({ ...sums, lastFailure: failure?.sentence ?? null })

const apply = (peer: PeerMemory, change: PeerChange): void => {
  const { conversations, findings, lastProbeAt, outcomes } = peer.sums
  peer.sums = {
    outcomes: addOutcomes(outcomes, change.outcomes),
    conversations: {
      answered: conversations.answered + change.conversations.answered,
      unanswered: conversations.unanswered + change.conversations.unanswered,
      refused: conversations.refused + change.conversations.refused
    },
    findings: sumFindings(findings, change.findings),
    lastProbeAt: change.lastProbeAt === null ? lastProbeAt : Math.max(lastProbeAt ?? -Infinity, change.lastProbeAt)
  }
  peer.failure = newestFailure(peer.failure, change.failure)
}

const sumFindings = (a: FindingCounts, b: FindingCounts): FindingCounts =>
  Object.fromEntries(
    FindingKind.literals
      .filter((kind) => a[kind] !== undefined || b[kind] !== undefined)
      .map((kind) => [kind, (a[kind] ?? 0) + (b[kind] ?? 0)])
  )

const addClaim = (peer: PeerMemory, claim: Claim): void => {
  const newest = peer.claims.at(-1)
  if (newest === undefined || !sameClaim(newest, claim)) peer.claims.push(claim)
}

const cover = (peer: PeerMemory, { column, outcome, slot }: Outcome, at: number): void => {
  if (settles(outcome)) {
    peer.coverage.set(slot, { slot, ...coverWith(peer.coverage.get(slot) ?? untested, column, outcome, at) })
  }
}

const inOrder = (probe: Probe): Probe => ({
  ...probe,
  outcomes: [...probe.outcomes].sort((a, b) => a.slot - b.slot || a.column - b.column)
})
