import { Clock, Effect, Layer, Ref, Scope } from "effect"
import { Dasmon, type Snapshot } from "../../src/Dasmon.ts"
import type { Event, EventBody } from "../../src/domain/Event.ts"
import type { Probe } from "../../src/domain/probe/Job.ts"
import { nothingKept } from "../../src/domain/custody/OwnCustodyState.ts"
import { noOutcomes } from "../../src/domain/probe/Outcome.ts"
import { custodyTotals, peerCounts } from "../../src/domain/peer/PeerTotals.ts"
import { noProgress } from "../../src/domain/peer/AuditProgress.ts"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import { UnknownPeer } from "../../src/domain/probe/ProbeNow.ts"
import { ScansUnavailable, UnknownScan } from "../../src/domain/scan/ScanRequest.ts"
import type { Status } from "../../src/domain/Status.ts"
import { makeEventStream } from "../../src/events/EventStream.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { Reports } from "../../src/history/report/Reports.ts"
import { makeChain } from "../domain/network/Chains.ts"

/** An engine whose events the test makes itself. */
export interface FakeDasmon {
  readonly layer: Layer.Layer<Dasmon>
  readonly run: string
  readonly publish: (body: EventBody) => Effect.Effect<Event>
  readonly setPeers: (peers: ReadonlyArray<PeerView>) => Effect.Effect<void>
  readonly setStatus: (status: Status) => Effect.Effect<void>
  /** Uses of `Dasmon.subscribe` that are open. */
  readonly subscribers: Effect.Effect<number>
}

/** `capacity`: events that the bus keeps before a slow subscriber loses the oldest. */
export const makeFakeDasmon = (capacity = 4096, over: Partial<Dasmon["Type"]> = {}): Effect.Effect<FakeDasmon> =>
  Effect.gen(function* () {
    const reports = yield* Effect.provide(Reports, Reports.layerNone)
    // Never closed: the fake lives as long as the test.
    const bus = yield* Scope.extend(MemoryEventBus.make({ capacity }), yield* Scope.make())
    const peers = yield* Ref.make<ReadonlyArray<PeerView>>([])
    const status = yield* Ref.make(statusOf({}))
    const subscribers = yield* Ref.make(0)

    const currentStatus = Effect.gen(function* () {
      return { ...(yield* Ref.get(status)), sequence: yield* bus.sequence }
    })
    const snapshot = Effect.gen(function* () {
      const sequence = yield* bus.sequence
      return { run: bus.run, sequence, status: yield* currentStatus, peers: yield* Ref.get(peers) } satisfies Snapshot
    })
    const subscribe = Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Ref.update(subscribers, (n) => n + 1),
        () => Ref.update(subscribers, (n) => n - 1)
      )
      const taken = yield* snapshot
      return { snapshot: taken, events: (yield* bus.subscribeFrom(taken.sequence)).events }
    })

    return {
      layer: Layer.succeed(Dasmon, {
        chain: makeChain({}),
        status: currentStatus,
        peers: Ref.get(peers),
        snapshot,
        events: makeEventStream(bus),
        subscribe,
        providers: Effect.succeed({ providers: [], candidates: [] }),
        peer: (peerId) => new UnknownPeer({ peerId }),
        slot: (slot) => Effect.die(`slot ${slot} is not faked`),
        matrix: (slot) => Effect.die(`slot ${slot} is not faked`),
        blobs: () => Effect.die("blobs are not faked"),
        probe: () => Effect.succeedNone,
        probeNow: (peerId) => new UnknownPeer({ peerId }),
        givePeers: () => Effect.succeed([]),
        scan: () => new ScansUnavailable({ reason: "scans are not faked" }),
        scanned: (id) => new UnknownScan({ id }),
        reports,
        halt: Effect.void,
        dead: Effect.succeed([]),
        ...over
      }),
      run: bus.run,
      publish: (body) =>
        Effect.flatMap(bus.sequence, (sequence) =>
          Effect.withClock(bus.publish(body), clockAt(1_700_000_000_001 + sequence))
        ),
      setPeers: (value) => Ref.set(peers, value),
      setStatus: (value) => Ref.set(status, value),
      subscribers: Ref.get(subscribers)
    }
  })

const clockAt = (now: number): Clock.Clock => {
  const { currentTimeNanos } = Clock.make()
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    currentTimeMillis: Effect.succeed(now),
    currentTimeNanos,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    sleep: (duration) => Effect.sleep(duration)
  }
}

export const statusOf = (part: Partial<Status>): Status => ({
  network: "devnet",
  simulated: true,
  headSlot: 320,
  sequence: 0,
  uptimeSeconds: 12.5,
  peers: { ...peerCounts([]), passedOver: 0 },
  audit: noProgress,
  availability: { isOn: true, available: 0, unavailable: 0, undetermined: 0, passedOver: 0, last: null },
  probes: { started: 0, completed: 0, inFlight: 0 },
  bandwidth: { limit: null, bytesPerSecond: 0, waiting: 0 },
  outcomes: noOutcomes,
  custody: custodyTotals([]),
  beaconNodes: [],
  commitments: { known: 200, wanted: 256, unknown: 0, oldest: 121 },
  backfill: { mode: "background", stage: "done", slotsPerSecond: 0, secondsLeft: null, stored: 192 },
  history: { state: "recording", reason: null, queued: 0 },
  evidence: { state: "keeping", reason: null, pieces: 0, bytes: 0, lost: 0 },
  ownCustody: nothingKept({ mode: "observe", custodyGroupCount: 4, columns: [] }),
  ownRecord: null,
  doubts: [],
  defects: 0,
  ...part
})

export const peerOf = (peerId: string, part: Partial<PeerView> = {}): PeerView => ({
  peerId,
  nodeId: `0x${"ab".repeat(32)}`,
  agent: "Lighthouse/v8.0.0/x86_64-linux",
  address: "/ip4/127.0.0.1/tcp/9000",
  transport: "tcp",
  connected: true,
  custody: { groupCount: 4, columns: [3, 17, 64, 127], earliestAvailableSlot: 64, source: "metadata" },
  subscribedColumns: null,
  headSlot: 320,
  outcomes: noOutcomes,
  findings: {},
  verdict: "unknown",
  suspicions: 0,
  failing: 0,
  recovered: 0,
  coverage: null,
  lastProbeAt: null,
  lastFailure: null,
  isProvider: false,
  score: 0.5,
  ...part
})

export const probeOf = (peerId: string, part: Partial<Probe> = {}): Probe => ({
  id: "5f1c1f3e-8f0a-4a70-9f3e-0d2b6a1f0001",
  purpose: "sampling",
  job: { peerId, startSlot: 100, count: 4, columns: [3, 17] },
  startedAt: 1_700_000_000_000,
  finishedAt: 1_700_000_000_120,
  timings: { open: 3, firstByte: 20, total: 120 },
  requests: 1,
  bytes: 4096,
  outcomes: [],
  recovered: 0,
  findings: [],
  ...part
})

/** A probe at which whoever looks at its outcomes next dies, once `arm` was run. */
export const trappedProbe = (peerId: string) => {
  let isArmed = false
  const probe = Object.defineProperty(probeOf(peerId), "outcomes", {
    enumerable: true,
    get: () => {
      if (!isArmed) return []
      isArmed = false
      throw new Error("an injected defect")
    }
  })
  return { probe, arm: Effect.sync(() => void (isArmed = true)) }
}
