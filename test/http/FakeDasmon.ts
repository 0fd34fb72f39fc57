import { Effect, Layer, PubSub, Ref, Stream } from "effect"
import { Dasmon, type Snapshot } from "../../src/Dasmon.ts"
import type { Event, EventBody } from "../../src/domain/Event.ts"
import type { Probe } from "../../src/domain/Job.ts"
import { noOutcomes } from "../../src/domain/Outcome.ts"
import type { PeerView } from "../../src/domain/Peer.ts"
import type { Status } from "../../src/domain/Status.ts"
import { makeChain } from "../domain/Chains.ts"

/** An engine whose events the test makes itself. */
export interface FakeDasmon {
  readonly layer: Layer.Layer<Dasmon>
  readonly publish: (body: EventBody) => Effect.Effect<Event>
  readonly setPeers: (peers: ReadonlyArray<PeerView>) => Effect.Effect<void>
  readonly setStatus: (status: Status) => Effect.Effect<void>
  /** Subscriptions that are open. */
  readonly subscribers: Effect.Effect<number>
}

/** `capacity`: events that wait for a slow subscriber before it loses the oldest. */
export const makeFakeDasmon = (capacity = 4096): Effect.Effect<FakeDasmon> =>
  Effect.gen(function* () {
    const bus = yield* PubSub.sliding<Event>(capacity)
    const peers = yield* Ref.make<ReadonlyArray<PeerView>>([])
    const status = yield* Ref.make(statusOf({}))
    const subscribers = yield* Ref.make(0)
    let sequence = 0

    const currentStatus = Effect.map(Ref.get(status), (status) => ({ ...status, sequence }))
    const snapshot = Effect.gen(function* () {
      return { sequence, status: yield* currentStatus, peers: yield* Ref.get(peers) } satisfies Snapshot
    })
    const subscribe = Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Ref.update(subscribers, (n) => n + 1),
        () => Ref.update(subscribers, (n) => n - 1)
      )
      const events = yield* Stream.fromPubSub(bus, { scoped: true })
      return { snapshot: yield* snapshot, events }
    })

    return {
      layer: Layer.succeed(Dasmon, {
        chain: makeChain({}),
        status: currentStatus,
        peers: Ref.get(peers),
        snapshot,
        events: Stream.fromPubSub(bus),
        subscribe
      }),
      publish: (body) =>
        Effect.suspend(() => {
          const event: Event = { ...body, sequence: ++sequence, timestamp: 1_700_000_000_000 + sequence }
          return Effect.as(PubSub.publish(bus, event), event)
        }),
      setPeers: (value) => Ref.set(peers, value),
      setStatus: (value) => Ref.set(status, value),
      subscribers: Ref.get(subscribers)
    }
  })

export const statusOf = (part: Partial<Status>): Status => ({
  network: "devnet",
  simulated: true,
  headSlot: 320,
  sequence: 0,
  uptimeSeconds: 12.5,
  peers: { tracked: 0, connected: 0 },
  probes: { started: 0, completed: 0, inFlight: 0 },
  outcomes: noOutcomes,
  commitments: { known: 200, wanted: 256 },
  history: { state: "recording", reason: null, queued: 0 },
  evidence: { state: "keeping", reason: null, pieces: 0, bytes: 0, lost: 0 },
  defects: 0,
  ...part
})

export const peerOf = (peerId: string, part: Partial<PeerView> = {}): PeerView => ({
  peerId,
  nodeId: `0x${"ab".repeat(32)}`,
  agent: "Lighthouse/v8.0.0/x86_64-linux",
  address: "/ip4/127.0.0.1/tcp/9000",
  connected: true,
  custody: { groupCount: 4, columns: [3, 17, 64, 127], earliestAvailableSlot: 64, source: "metadata" },
  headSlot: 320,
  outcomes: noOutcomes,
  findings: {},
  verdict: "unknown",
  coverage: null,
  lastProbeAt: null,
  lastFailure: null,
  ...part
})

export const probeOf = (peerId: string, part: Partial<Probe> = {}): Probe => ({
  id: "5f1c1f3e-8f0a-4a70-9f3e-0d2b6a1f0001",
  job: { peerId, startSlot: 100, count: 4, columns: [3, 17] },
  startedAt: 1_700_000_000_000,
  finishedAt: 1_700_000_000_120,
  timings: { open: 3, firstByte: 20, total: 120 },
  requests: 1,
  bytes: 4096,
  outcomes: [],
  findings: [],
  ...part
})
