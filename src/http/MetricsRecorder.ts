import { Effect, Layer, Metric, Schedule, Stream } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Dasmon } from "../Dasmon.ts"
import type { Event } from "../domain/Event.ts"
import { type Finding, FindingKind } from "../domain/Finding.ts"
import type { Probe } from "../domain/Job.ts"
import * as Metrics from "../domain/Metrics.ts"
import { type OutcomeCounts, type OutcomeKind, outcomeKinds } from "../domain/Outcome.ts"
import type { PeerView } from "../domain/Peer.ts"
import type { Status } from "../domain/Status.ts"
import { Verdict } from "../domain/Verdict.ts"

/** Feeds the metrics from the engine's events, so that the engine counts nothing twice. */
export const layer: Layer.Layer<never, never, Dasmon> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const dasmon = yield* Dasmon
    const { events, snapshot } = yield* dasmon.subscribe
    yield* zero
    const recorder = yield* Effect.acquireRelease(Effect.sync(makeRecorder), (recorder) => recorder.end)
    yield* recorder.start(snapshot.status, snapshot.peers)
    let last = snapshot.sequence
    yield* Stream.runForEach(
      events,
      Effect.fnUntraced(function* (event) {
        if (event.sequence <= last) return
        if (event.sequence > last + 1) yield* Metric.incrementBy(Metrics.eventsLost, event.sequence - last - 1)
        last = event.sequence
        yield* recorder.record(event)
      })
    ).pipe(Effect.forkScoped)
    yield* watchProcess
  })
)

/** How often the gauges of the process are read. */
const processInterval = "5 seconds"
/** Milliseconds between two samples of the event-loop delay. */
const resolutionMs = 10

/** What is remembered of a peer to keep the gauges. */
interface Seen {
  readonly client: Metrics.ClientFamily
  readonly verdict: Verdict
  readonly connected: boolean
}

const makeRecorder = () => {
  const seen = new Map<string, Seen>()
  let started = 0
  let defects = 0

  const clientOf = (peerId: string): Metrics.ClientFamily => seen.get(peerId)?.client ?? "unknown"

  const forget = (peerId: string) =>
    Effect.suspend(() => {
      const before = seen.get(peerId)
      seen.delete(peerId)
      return before === undefined ? Effect.void : countPeer(before, -1)
    })

  const see = Effect.fnUntraced(function* (view: PeerView) {
    yield* forget(view.peerId)
    const peer = { client: Metrics.clientFamily(view.agent), verdict: view.verdict, connected: view.connected }
    seen.set(view.peerId, peer)
    yield* countPeer(peer, 1)
  })

  const countFindings = (peerId: string, findings: ReadonlyArray<Finding>) =>
    Effect.forEach(findings, ({ kind }) => Metric.increment(findingsOf(kind, clientOf(peerId))), { discard: true })

  const countProbe = Effect.fnUntraced(function* (probe: Probe) {
    const counts: { [K in OutcomeKind]?: number } = {}
    for (const { outcome } of probe.outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
    yield* countOutcomes(counts, clientOf(probe.job.peerId))
    yield* countFindings(probe.job.peerId, probe.findings)
    yield* Metric.increment(Metrics.probesCompleted)
    yield* Metric.incrementBy(Metrics.receivedBytes, probe.bytes)
    yield* Metric.update(Metrics.probeSeconds, probe.timings.total / 1000)
    if (probe.timings.firstByte !== null) yield* Metric.update(Metrics.firstByteSeconds, probe.timings.firstByte / 1000)
  })

  const countStatus = Effect.fnUntraced(function* (status: Status) {
    yield* Metric.incrementBy(Metrics.probesStarted, Math.max(0, status.probes.started - started))
    yield* Metric.incrementBy(Metrics.defects, Math.max(0, status.defects - defects))
    started = status.probes.started
    defects = status.defects
    yield* Metric.set(Metrics.probesInFlight, status.probes.inFlight)
    yield* Metric.set(Metrics.headSlot, status.headSlot)
    yield* Metric.set(Metrics.commitmentsKnown, status.commitments.known)
    yield* Metric.set(Metrics.commitmentsWanted, status.commitments.wanted)
  })

  return {
    /** Counters start where the engine's own counts stand, so that both always agree. */
    start: Effect.fnUntraced(function* (status: Status, peers: ReadonlyArray<PeerView>) {
      yield* countStatus(status)
      yield* Metric.incrementBy(Metrics.probesCompleted, status.probes.completed)
      yield* countOutcomes(status.outcomes, "unknown")
      yield* Effect.forEach(peers, see, { discard: true })
    }),
    record: (event: Event): Effect.Effect<void> => {
      switch (event._tag) {
        case "Sampling":
          return countProbe(event.probe)
        case "CustodyUpdate":
          return countFindings(event.peerId, event.findings)
        case "NodeTracking":
          return event.change === "forgotten" ? forget(event.peerId) : see(event.peer)
        case "SystemSnapshot":
          return countStatus(event.status)
      }
    },
    /** Takes its peers out of the gauges. */
    end: Effect.suspend(() => Effect.forEach([...seen.keys()], forget, { discard: true }))
  }
}

/** Event-loop delay and memory, until the scope closes. */
const watchProcess = Effect.gen(function* () {
  const delay = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  )
  const read = Effect.gen(function* () {
    // Before its first sample the histogram holds no number.
    if (delay.max > 0) {
      yield* Metric.set(Metrics.eventLoopDelayMedian, delaySeconds(delay.percentile(50)))
      yield* Metric.set(Metrics.eventLoopDelayP99, delaySeconds(delay.percentile(99)))
      yield* Metric.set(Metrics.eventLoopDelayMax, delaySeconds(delay.max))
      delay.reset()
    }
    yield* Metric.set(Metrics.residentMemory, process.memoryUsage.rss())
  })
  yield* read
  yield* Effect.forkScoped(Effect.schedule(read, Schedule.spaced(processInterval)))
})

/** The histogram holds nanoseconds from one sample to the next, so the time in between that was asked for goes off. */
const delaySeconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3)

const outcomesOf = (outcome: OutcomeKind, client: Metrics.ClientFamily) =>
  Metrics.outcomes.pipe(Metric.tagged("outcome", outcome), Metric.tagged("client", client))

const findingsOf = (finding: FindingKind, client: Metrics.ClientFamily) =>
  Metrics.findings.pipe(Metric.tagged("finding", finding), Metric.tagged("client", client))

const peersOf = (verdict: Verdict, client: Metrics.ClientFamily) =>
  Metrics.peers.pipe(Metric.tagged("verdict", verdict), Metric.tagged("client", client))

const connectedOf = (client: Metrics.ClientFamily) => Metrics.peersConnected.pipe(Metric.tagged("client", client))

const countOutcomes = (counts: Partial<OutcomeCounts>, client: Metrics.ClientFamily) =>
  Effect.forEach(outcomeKinds, (kind) => Metric.incrementBy(outcomesOf(kind, client), counts[kind] ?? 0), {
    discard: true
  })

const countPeer = (peer: Seen, by: 1 | -1) =>
  Effect.zipRight(
    Metric.incrementBy(peersOf(peer.verdict, peer.client), by),
    peer.connected ? Metric.incrementBy(connectedOf(peer.client), by) : Effect.void
  )

/** A series that is absent cannot be told from one that is lost: every one is there from the start. */
const zero = Effect.gen(function* () {
  for (const client of Metrics.clientFamilies) {
    for (const kind of outcomeKinds) yield* Metric.incrementBy(outcomesOf(kind, client), 0)
    for (const kind of FindingKind.literals) yield* Metric.incrementBy(findingsOf(kind, client), 0)
    for (const verdict of Verdict.literals) yield* Metric.incrementBy(peersOf(verdict, client), 0)
    yield* Metric.incrementBy(connectedOf(client), 0)
  }
  for (const counter of [
    Metrics.probesStarted,
    Metrics.probesCompleted,
    Metrics.receivedBytes,
    Metrics.defects,
    Metrics.eventsLost,
    Metrics.webSocketClientsCut
  ]) {
    yield* Metric.incrementBy(counter, 0)
  }
  yield* Metric.incrementBy(Metrics.webSocketClients, 0)
})
