import { Clock, Effect, Layer, Metric, Predicate, Stream } from "effect"
import { Dasmon } from "../../Dasmon.ts"
import { type ChainParameters, slotStart } from "../../domain/network/Chain.ts"
import { type ClientFamily, clientFamily } from "../../domain/peer/ClientFamily.ts"
import type { CoverageCounts } from "../../domain/probe/Coverage.ts"
import type { Event, Sampling } from "../../domain/Event.ts"
import type { Finding } from "../../domain/peer/Finding.ts"
import * as Metrics from "../../domain/metrics/Metrics.ts"
import { confirmationResult } from "../../domain/probe/Confirmation.ts"
import { countOutcomes, type OutcomeCounts, outcomeKinds } from "../../domain/probe/Outcome.ts"
import type { AuditProgress } from "../../domain/peer/AuditProgress.ts"
import { scoreBands } from "../../domain/peer/PeerTotals.ts"
import type { PeerView } from "../../domain/peer/PeerView.ts"
import type { Status } from "../../domain/Status.ts"
import type { Verdict } from "../../domain/peer/Verdict.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { watchProcess } from "./ProcessMetrics.ts"

/** Feeds the metrics that follow from the engine's events and status; the others are counted where things happen. */
export const layer: Layer.Layer<never, never, Dasmon> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const dasmon = yield* Dasmon
    const snapshot = yield* dasmon.snapshot
    yield* Effect.sync(registerAll)
    const recorder = yield* Effect.acquireRelease(
      Effect.sync(() => makeRecorder(dasmon.chain)),
      (recorder) => recorder.end
    )
    yield* recorder.start(snapshot.status, snapshot.peers)
    let last = snapshot.sequence
    const recordEach = Stream.runForEach(
      Stream.suspend(() => dasmon.events.since(last)),
      Effect.fnUntraced(function* (event) {
        if (event._tag === "Gap") {
          last = event.to
          return yield* Metric.incrementBy(Metrics.eventsLost, event.to - event.from + 1)
        }
        // An event at which it dies is not taken again.
        last = event.sequence
        yield* Metric.increment(Metrics.events.of({ event: event._tag }))
        yield* recorder.record(event)
      })
    )
    yield* daemon("recording of the metrics", recordEach)
    yield* watchProcess(recorder.showHeadAge)
  })
)

/** A series that is absent cannot be told from one that is lost: every one is there from the start. */
const registerAll = (): void => {
  for (const metric of Object.values(Metrics)) {
    if (Predicate.hasProperty(metric, "register")) metric.register()
    if (Predicate.hasProperty(metric, "members")) for (const member of metric.members) member.register()
  }
}

/** What is remembered of a peer to keep the gauges. */
interface Seen {
  readonly client: ClientFamily
  readonly verdict: Verdict
  readonly connected: boolean
  readonly coverage: CoverageCounts | null
}

const makeRecorder = (chain: ChainParameters) => {
  const seen = new Map<string, Seen>()
  let evidenceLost = 0
  let headSlot = 0

  const clientOf = (peerId: string): ClientFamily => seen.get(peerId)?.client ?? "unknown"

  const forget = (peerId: string) =>
    Effect.suspend(() => {
      const peer = seen.get(peerId)
      seen.delete(peerId)
      return peer === undefined ? Effect.void : countPeer(peer, -1)
    })

  const see = Effect.fnUntraced(function* (peerId: string, peer: Seen) {
    yield* forget(peerId)
    seen.set(peerId, peer)
    yield* countPeer(peer, 1)
  })

  const countFindings = (peerId: string, findings: ReadonlyArray<Finding>) =>
    Effect.forEach(
      findings,
      ({ kind }) => Metric.increment(Metrics.findings.of({ finding: kind, client: clientOf(peerId) })),
      { discard: true }
    )

  const countProbe = Effect.fnUntraced(function* ({ conversation, probe }: Sampling) {
    const { bytes, findings, job, outcomes, purpose, requests, timings } = probe
    const client = clientOf(job.peerId)
    const counts = countOutcomes(outcomes)
    yield* addOutcomes(counts, client)
    yield* countFindings(job.peerId, findings)
    yield* Metric.increment(Metrics.probesCompleted.of({ conversation, client }))
    if (purpose === "confirmation") {
      yield* Metric.increment(Metrics.confirmations.of({ result: confirmationResult(outcomes), client }))
    }
    yield* Metric.incrementBy(Metrics.probeRequests, requests)
    yield* Metric.incrementBy(Metrics.receivedBytes.of({ client }), bytes)
    yield* Metric.update(Metrics.probeSeconds.of({ client }), timings.total / 1000)
    if (timings.open !== null) yield* Metric.update(Metrics.openSeconds.of({ client }), timings.open / 1000)
    if (timings.firstByte !== null) {
      yield* Metric.update(Metrics.firstByteSeconds.of({ client }), timings.firstByte / 1000)
    }
  })

  const showHeadAge = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* Metric.set(Metrics.headAge, Math.max(0, now - slotStart(chain, headSlot)) / 1000)
  })

  const countAudit = Effect.fnUntraced(function* (audit: AuditProgress) {
    const { audited, columnsLacking, known, peersPerHour, reachable, roundDoneAt } = audit
    const now = yield* Clock.currentTimeMillis
    yield* Metric.set(Metrics.nodesKnown, known)
    yield* Metric.set(Metrics.nodesReachable, reachable)
    for (const within of ["hour", "day", "window"] as const) {
      yield* Metric.set(Metrics.peersAudited.of({ within }), audited[within])
    }
    yield* Metric.set(Metrics.auditPace, peersPerHour)
    yield* Metric.set(Metrics.auditRoundLeft, roundDoneAt === null ? -1 : Math.max(0, roundDoneAt - now) / 1000)
    yield* Metric.set(Metrics.columnsLacking, columnsLacking)
  })

  const countStatus = Effect.fnUntraced(function* (status: Status) {
    const { audit, commitments, evidence } = status
    yield* Metric.incrementBy(Metrics.evidenceLost, Math.max(0, evidence.lost - evidenceLost))
    evidenceLost = evidence.lost
    yield* Metric.set(Metrics.headSlot, status.headSlot)
    headSlot = status.headSlot
    yield* showHeadAge
    yield* countAudit(audit)
    yield* Metric.set(Metrics.suspectedCombinations, status.custody.suspected)
    yield* Metric.set(Metrics.commitmentsKnown, commitments.known)
    yield* Metric.set(Metrics.commitmentsWanted, commitments.wanted)
    for (const [band, from] of scoreBands.entries()) {
      yield* Metric.set(Metrics.peerScores.of({ from }), status.peers.scores[band] ?? 0)
    }
    yield* Metric.set(Metrics.bandwidthUsed, status.bandwidth.bytesPerSecond)
    yield* Metric.set(Metrics.evidencePieces, evidence.pieces)
    yield* Metric.set(Metrics.evidenceBytes, evidence.bytes)
    yield* Metric.set(Metrics.evidenceFailing, evidence.state === "failing" ? 1 : 0)
  })

  return {
    showHeadAge,
    /** Counters start where the engine's own counts stand, so that both always agree. */
    start: Effect.fnUntraced(function* (status: Status, peers: ReadonlyArray<PeerView>) {
      yield* countStatus(status)
      const earlier = { conversation: "answered", client: "unknown" } as const
      yield* Metric.incrementBy(Metrics.probesCompleted.of(earlier), status.probes.completed)
      yield* addOutcomes(status.outcomes, earlier.client)
      yield* Effect.forEach(peers, (view) => see(view.peerId, seenOf(view)), { discard: true })
    }),
    record: Effect.fnUntraced(function* (event: Event) {
      switch (event._tag) {
        case "Sampling": {
          const { coverage, probe } = event
          yield* countProbe(event)
          const peer = seen.get(probe.job.peerId)
          if (peer !== undefined && coverage !== null) yield* see(probe.job.peerId, { ...peer, coverage })
          return
        }
        case "CustodyUpdate":
          return yield* countFindings(event.peerId, event.findings)
        case "NodeTracking":
          yield* Metric.increment(Metrics.peerChanges.of({ change: event.change }))
          return yield* event.change === "forgotten" ? forget(event.peerId) : see(event.peerId, seenOf(event.peer))
        case "SystemSnapshot":
          return yield* countStatus(event.status)
        case "ScanProgress":
        case "ColumnArrival":
        case "MatrixProgress":
        case "SlotAvailability":
        case "GossipFault":
          return
      }
    }),
    /** Takes its peers out of the gauges. */
    end: Effect.suspend(() => Effect.forEach([...seen.keys()], forget, { discard: true }))
  }
}

const seenOf = ({ agent, connected, coverage, verdict }: PeerView): Seen => ({
  client: clientFamily(agent),
  verdict,
  connected,
  coverage
})

const addOutcomes = (counts: OutcomeCounts, client: ClientFamily) =>
  Effect.forEach(
    outcomeKinds,
    (outcome) => Metric.incrementBy(Metrics.outcomes.of({ outcome, client }), counts[outcome]),
    { discard: true }
  )

const countPeer = Effect.fnUntraced(function* ({ client, connected, coverage, verdict }: Seen, by: 1 | -1) {
  yield* Metric.incrementBy(Metrics.peers.of({ verdict, client }), by)
  if (connected) yield* Metric.incrementBy(Metrics.peersConnected.of({ client }), by)
  if (coverage === null) return
  yield* Metric.incrementBy(Metrics.coverageOwed.of({ client }), by * coverage.owed)
  yield* Metric.incrementBy(Metrics.coverageTested.of({ client }), by * coverage.tested)
  yield* Metric.incrementBy(Metrics.coverageFailed.of({ client }), by * coverage.failed)
})
