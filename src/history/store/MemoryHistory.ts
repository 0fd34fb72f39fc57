import { Effect, Layer, Option } from "effect"
import { dropOldest } from "../../domain/Bounded.ts"
import type { SlotVerdict } from "../../domain/availability/SlotVerdict.ts"
import { type Claim, sameClaim } from "../../domain/peer/Claim.ts"
import { addOutcomes, noOutcomes, type OutcomeCounts } from "../../domain/probe/Outcome.ts"
import type { FailedSlot } from "../../domain/peer/Failing.ts"
import type { Probe } from "../../domain/probe/Job.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import { type FindingCounts, FindingKind } from "../../domain/peer/Finding.ts"
import { noConversations } from "../../domain/peer/Verdict.ts"
import { type CoverageChunk, chunkOf, copyOf, emptyChunk, isUntested, slotsPerChunk } from "./CoverageChunk.ts"
import { chunksCovered, coverProbe } from "./CoverProbe.ts"
import { failedSlots } from "./FailedSlots.ts"
import { type CoverageBlock, History, noStanding, type PeerHistory } from "./History.ts"
import { claimsPerDay, claimToLeaveOut } from "./KeepClaims.ts"
import { HistoryRecord } from "./HistoryRecord.ts"
import type { GossipFault } from "../../domain/gossip/GossipFault.ts"
import { mostShownFaults } from "../../domain/gossip/GossipFaults.ts"
import { makeMemoryArrivals, type MemoryArrivals } from "./MemoryArrivals.ts"
import { clearVoid, makeOrphans, type Orphans } from "./Orphans.ts"
import { sectionsOf } from "./sqlite/OutcomeSections.ts"
import { changeOf, type Failure, newestFailure, type PeerChange } from "./PeerChange.ts"

/** A history that ends with the program. It keeps the newest 10,000 probes, and all that it sums up from them. */
export const layer: Layer.Layer<History> = Layer.sync(History, () => makeMemoryHistory().history)

/** What a history in memory holds, for whoever answers questions about it. Read only, and at once: it changes. */
export interface HistoryMemory {
  readonly peers: ReadonlyMap<PeerId, PeerMemory>
  /** Those that are kept by their ids, the oldest first. */
  readonly probes: ReadonlyMap<string, Probe>
  readonly orphans: Orphans
  readonly arrivals: MemoryArrivals
  /** By slot and root, in the order in which they were recorded, each with its number. */
  readonly availability: ReadonlyMap<string, { readonly id: number; readonly verdict: SlotVerdict }>
  /** Over all probes, also those that are not kept. */
  readonly totals: { readonly probes: number; readonly outcomes: OutcomeCounts }
}

export interface PeerMemory {
  sums: Omit<PeerHistory, "agent" | "address" | "lastFailure">
  failure: Option.Option<Failure>
  /** Probes that were recorded, ever. */
  probes: number
  /** The newest that is known. */
  agent: Option.Option<string>
  address: Option.Option<string>
  /** Unix milliseconds at which it was there. */
  firstSeen: Option.Option<number>
  lastSeen: Option.Option<number>
  readonly claims: Array<Claim>
  /** Changes of its claim, ever. */
  claimChanges: number
  /** By number of the chunk. */
  readonly coverage: Map<number, CoverageChunk>
}

/** An empty history, and what it holds. */
export const makeMemoryHistory = (): { readonly history: History["Type"]; readonly memory: HistoryMemory } => {
  const peers = new Map<PeerId, PeerMemory>()
  const probes = new Map<string, Probe>()
  const orphans = makeOrphans()
  const arrivals = makeMemoryArrivals()
  const availability = new Map<string, { readonly id: number; readonly verdict: SlotVerdict }>()
  let verdicts = 0
  /** The newest first. */
  const faults: Array<GossipFault> = []
  const totals: { probes: number; outcomes: OutcomeCounts } = { probes: 0, outcomes: noOutcomes }

  const record = (record: HistoryRecord) =>
    Effect.sync(() => {
      if (record._tag === "Orphan") return orphans.add(record.slot, record.root, record.at)
      if (record._tag === "Arrivals") return arrivals.add(record.arrivals)
      if (record._tag === "Availability") {
        const key = `${record.verdict.slot} ${record.verdict.blockRoot}`
        if (availability.has(key)) return
        availability.set(key, { id: ++verdicts, verdict: record.verdict })
        return dropOldest(availability, keptVerdicts)
      }
      if (record._tag === "GossipFault") {
        faults.unshift(record.fault)
        faults.length = Math.min(faults.length, keptFaults)
        return
      }
      if (record._tag === "Probe" && probes.has(record.probe.id)) return
      const change = changeOf(record)
      const peer = peers.get(change.peerId) ?? newPeer()
      peers.set(change.peerId, peer)
      apply(peer, change)
      totals.probes += change.probes
      totals.outcomes = addOutcomes(totals.outcomes, change.outcomes)
      if (record._tag === "Claim") addClaim(peer, record.claim)
      if (record._tag === "Standing") peer.sums = { ...peer.sums, standing: record.standing }
      if (record._tag !== "Probe") return
      addCoverage(peer.coverage, record.probe, orphans)
      probes.set(record.probe.id, record.probe)
      dropOldest(probes, keptProbes)
    })

  const history = History.of({
    recordProbe: (probe, conversation, coverage) =>
      record(HistoryRecord.Probe({ probe, conversation, coverage: Option.fromNullable(coverage) })),
    recordOrphan: (slot, root, at) => record(HistoryRecord.Orphan({ slot, root, at })),
    recordArrivals: (arrivals) => record(HistoryRecord.Arrivals({ arrivals })),
    recordAvailability: (verdict) => record(HistoryRecord.Availability({ verdict })),
    recordGossipFault: (fault) => record(HistoryRecord.GossipFault({ fault })),
    gossipFaults: (peerId) =>
      Effect.sync(() => {
        const own = faults.filter((fault) => fault.peerId === peerId)
        return { faults: own.length, last: own.slice(0, mostShownFaults) }
      }),
    recordConversation: (peerId, conversation, failure, at) =>
      record(HistoryRecord.Conversation({ peerId, conversation, failure, at })),
    recordClaim: (peerId, claim) => record(HistoryRecord.Claim({ peerId, claim })),
    recordFindings: (peerId, findings) => record(HistoryRecord.Findings({ peerId, findings })),
    recordStanding: (peerId, standing) => record(HistoryRecord.Standing({ peerId, standing })),
    recordPeer: (peerId, seen) => record(HistoryRecord.Peer({ peerId, ...seen })),
    flush: Effect.void,
    state: Effect.succeed({ state: "recording", reason: null, queued: 0 }),
    peer: (peerId) => Effect.sync(() => historyOf(peers.get(peerId) ?? newPeer())),
    claims: (peerId) => Effect.sync(() => [...(peers.get(peerId)?.claims ?? [])]),
    probe: (id) => Effect.sync(() => Option.map(Option.fromNullable(probes.get(id)), inOrder)),
    coverage: (peerId, fromSlot) => Effect.sync(() => coverageOf(peers.get(peerId), chunkOf(fromSlot), orphans)),
    failing: (peerId, since) => Effect.sync(() => failingOf(peers.get(peerId), since, orphans)),
    blocks: (fromSlot) =>
      Effect.sync(() => {
        const found = [...probes.values()].flatMap(({ outcomes }) =>
          outcomes
            .filter(({ blockRoot, slot }) => slot >= fromSlot && !orphans.isOrphan(slot, blockRoot, -Infinity))
            .map(({ blockRoot, slot }) => [`${slot} ${blockRoot}`, { slot, root: blockRoot }] as const)
        )
        return [...new Map(found).values()]
      }),
    totals: Effect.sync(() => ({ ...totals }))
  })
  return { history, memory: { peers, probes, orphans, arrivals, availability, totals } }
}

const keptProbes = 10_000
const keptVerdicts = 10_000
const keptFaults = 4096

const newPeer = (): PeerMemory => ({
  sums: {
    outcomes: noOutcomes,
    conversations: noConversations,
    findings: {},
    lastProbeAt: Option.none(),
    coverage: Option.none(),
    standing: noStanding,
    recovered: 0,
    blamedAt: Option.none()
  },
  failure: Option.none(),
  probes: 0,
  agent: Option.none(),
  address: Option.none(),
  firstSeen: Option.none(),
  lastSeen: Option.none(),
  claims: [],
  claimChanges: 0,
  coverage: new Map()
})

const historyOf = ({ address, agent, failure, sums }: PeerMemory): PeerHistory => ({
  agent,
  address,
  ...sums,
  lastFailure: Option.map(failure, ({ sentence }) => sentence)
})

const apply = (peer: PeerMemory, change: PeerChange): void => {
  const { blamedAt, conversations, coverage, findings, lastProbeAt, outcomes, recovered, standing } = peer.sums
  peer.sums = {
    outcomes: addOutcomes(outcomes, change.outcomes),
    conversations: {
      answered: conversations.answered + change.conversations.answered,
      unanswered: conversations.unanswered + change.conversations.unanswered,
      refused: conversations.refused + change.conversations.refused
    },
    findings: sumFindings(findings, change.findings),
    lastProbeAt: latest(lastProbeAt, change.lastProbeAt),
    coverage: Option.orElse(change.coverage, () => coverage),
    standing,
    recovered: recovered + change.recovered,
    blamedAt: latest(blamedAt, change.blamedAt)
  }
  peer.failure = newestFailure(peer.failure, change.failure)
  peer.probes += change.probes
  peer.agent = Option.orElse(change.agent, () => peer.agent)
  peer.address = Option.orElse(change.address, () => peer.address)
  peer.firstSeen = Option.orElse(peer.firstSeen, () => change.seenAt)
  peer.lastSeen = latest(peer.lastSeen, change.seenAt)
}

/** The later of two moments, as far as they are known. */
const latest = (a: Option.Option<number>, b: Option.Option<number>): Option.Option<number> =>
  Option.orElse(
    Option.zipWith(a, b, (one, other) => Math.max(one, other)),
    () => Option.orElse(a, () => b)
  )

const sumFindings = (a: FindingCounts, b: FindingCounts): FindingCounts =>
  Object.fromEntries(
    FindingKind.literals
      .filter((kind) => a[kind] !== undefined || b[kind] !== undefined)
      .map((kind) => [kind, (a[kind] ?? 0) + (b[kind] ?? 0)])
  )

const addClaim = (peer: PeerMemory, claim: Claim): void => {
  const newest = peer.claims.at(-1)
  if (newest !== undefined && sameClaim(newest, claim)) return
  peer.claims.push(claim)
  peer.claimChanges++
  const place = claimToLeaveOut(peer.claims.slice(-claimsPerDay - 1).reverse())
  if (place !== undefined) peer.claims.splice(-place - 1, 1)
}

const addCoverage = (coverage: Map<number, CoverageChunk>, probe: Probe, orphans: Orphans): void => {
  const sections = sectionsOf(probe)
  for (const number of chunksCovered(sections)) if (!coverage.has(number)) coverage.set(number, emptyChunk())
  coverProbe(coverage, sections, probe, orphans)
}

const coverageOf = (peer: PeerMemory | undefined, fromChunk: number, orphans: Orphans): ReadonlyArray<CoverageBlock> =>
  [...(peer?.coverage ?? [])]
    .filter(([number]) => number >= fromChunk)
    .sort(([a], [b]) => a - b)
    .flatMap(([number, chunk]) => blockOf(number, chunk, orphans))

/** What `History.failing` answers of a peer. */
export const failingOf = (peer: PeerMemory | undefined, since: number, orphans: Orphans): ReadonlyArray<FailedSlot> =>
  peer !== undefined && Option.exists(peer.sums.blamedAt, (at) => at >= since)
    ? failedSlots(coverageOf(peer, 0, orphans), since)
    : []

const blockOf = (number: number, chunk: CoverageChunk, orphans: Orphans): ReadonlyArray<CoverageBlock> => {
  const copy = copyOf(chunk)
  clearVoid(copy, number, orphans.voidUntil)
  return isUntested(copy) ? [] : [{ firstSlot: number * slotsPerChunk, ...copy }]
}

const inOrder = (probe: Probe): Probe => ({
  ...probe,
  outcomes: [...probe.outcomes].sort((a, b) => a.slot - b.slot || a.column - b.column)
})
