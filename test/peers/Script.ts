import { Clock, Context, Duration, Effect, Layer, Option, PubSub, Stream } from "effect"
import type { Block, SlotFacts } from "../../src/domain/network/Block.ts"
import type { ClaimParts } from "../../src/domain/peer/ClaimParts.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { Checkpoint } from "../../src/domain/peer/Claim.ts"
import type { Probe } from "../../src/domain/probe/Job.ts"
import type { PeerDisconnected, ProbeTimeout, RequestError } from "../../src/domain/probe/Outcome.ts"
import type { PeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import type { Evidence } from "../../src/evidence/Evidence.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import type { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Host, type HostEvent, type NotDialled } from "../../src/host/Host.ts"
import { Peers, type PeersOptions } from "../../src/peers/Peers.ts"
import { Bandwidth } from "../../src/probe/Bandwidth.ts"
import { Prober, type ProbeRequest, type ProbeResult } from "../../src/probe/Prober.ts"
import { SelfDoubt } from "../../src/probe/SelfDoubt.ts"
import { ProbeTotals } from "../../src/probe/ProbeTotals.ts"
import { ProbeWorkers } from "../../src/probe/ProbeWorkers.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import { Sampler } from "../../src/sampler/Sampler.ts"
import { chain, peer, statement } from "../probe/FakeWorld.ts"
import { layerPunctual } from "../Seeded.ts"

export const other: PeerAddress = {
  ...peer,
  peerId: "16Uiu2HAm6nLcG47AyCQnB5kDaWJNLbVFbTL9AG3uVvwZK1KUeYs6",
  multiaddrs: ["/ip4/127.0.0.1/tcp/2"]
}
export const dialled: PeerAddress = { ...peer, multiaddrs: ["/ip4/127.0.0.1/tcp/1"] }

/** Of the only block that the chain knows. */
export const ourRoot = "0xaa"

/** The statement of a peer that is on our chain, and as far as we are. */
export const saying = (count: number, earliestAvailableSlot = 0) => ({
  ...statement(count, earliestAvailableSlot),
  finalized: { epoch: 29, root: ourRoot }
})

/** What the fakes do, and what was asked of them; a test changes the behaviour as it goes. */
export interface Script {
  readonly connects: Array<string>
  readonly goodbyes: Array<readonly [string, number]>
  readonly refreshes: Array<string>
  /** What every peer calls itself. */
  agent: string
  readonly probes: Array<{ readonly peerId: string; readonly at: number; readonly asked: ProbeRequest }>
  connect: (address: PeerAddress) => Effect.Effect<void, PeerDisconnected | ProbeTimeout | NotDialled>
  refresh: (peerId: string) => Effect.Effect<Omit<ClaimParts, "nodeId">, RequestError>
  probe: (request: ProbeRequest) => Effect.Effect<Option.Option<RequestError>>
  /** What of a probe is otherwise than of one that samples and brings one column. */
  result: (
    request: ProbeRequest,
    at: number
  ) => Partial<Omit<ProbeResult, "probe">> & { readonly probe?: Partial<Probe> }
  /** Why the monitor suspects itself. */
  doubt: Option.Option<string>
  /** What is final to us. */
  finalized: Option.Option<Checkpoint>
  /** Root of the block in every slot. */
  root: string
  readonly up: Set<string>
  /** What every probe brings. */
  evidence: ReadonlyArray<Evidence>
}

export class Fakes extends Context.Tag("test/Fakes")<
  Fakes,
  { readonly script: Script; readonly hub: PubSub.PubSub<HostEvent> }
>() {}

const layerFakes = (prepare: (script: Script) => void) =>
  Layer.effect(
    Fakes,
    Effect.map(PubSub.unbounded<HostEvent>(), (hub) => {
      const script: Script = {
        connects: [],
        goodbyes: [],
        refreshes: [],
        agent: "Teku/1",
        probes: [],
        connect: () => Effect.void,
        refresh: () => Effect.succeed(saying(8)),
        probe: () => Effect.succeedNone,
        result: () => ({}),
        doubt: Option.none(),
        finalized: Option.some({ epoch: 29, root: ourRoot }),
        root: ourRoot,
        up: new Set<string>(),
        evidence: []
      }
      prepare(script)
      return { hub, script }
    })
  )

const layerHost = Layer.effect(
  Host,
  Effect.map(Fakes, ({ hub, script }) =>
    Host.of({
      peerId: "us",
      multiaddrs: [],
      connect: (address) =>
        Effect.gen(function* () {
          const { multiaddrs, peerId } = address
          script.connects.push(peerId)
          yield* script.connect(address)
          script.up.add(peerId)
          return { peerId, address: multiaddrs[0] ?? "inbound", agent: Option.some(script.agent) }
        }),
      disconnect: (peerId, code) =>
        Effect.sync(() => {
          script.goodbyes.push([peerId, code])
          script.up.delete(peerId)
        }),
      request: () => Effect.die("the prober is a fake"),
      connected: Effect.sync(() => [...script.up].map((peerId) => ({ peerId, address: "", agent: Option.none() }))),
      events: Stream.fromPubSub(hub, { scoped: true })
    })
  )
)

const probeOf = (request: ProbeRequest, at: number, error: Option.Option<RequestError>): ProbeResult => ({
  probe: {
    id: `${request.job.peerId} ${at}`,
    purpose: request.wanted ?? (request.confirms.length > 0 ? "confirmation" : "sampling"),
    job: request.job,
    startedAt: at,
    finishedAt: at,
    timings: { open: 1, firstByte: 1, total: 1 },
    requests: 1,
    bytes: 10,
    outcomes: Option.isSome(error) ? [] : [{ slot: 4, column: 1, outcome: "success", blockRoot: "0x00", blobs: 1 }],
    recovered: 0,
    findings: []
  },
  settling: request.confirms.length > 0 ? Option.some(Option.isSome(error) ? "escaped" : "settled") : Option.none(),
  conversation: Option.match(error, {
    onNone: () => "answered" as const,
    onSome: ({ _tag }) => (_tag === "PeerRefused" ? ("refused" as const) : ("unanswered" as const))
  }),
  statement: Option.none(),
  finalUpTo: Number.MAX_SAFE_INTEGER,
  evidence: [],
  error,
  brought:
    request.wanted === undefined
      ? Option.none()
      : Option.some({
          proven: Option.isSome(error)
            ? []
            : request.job.columns.map((column) => ({
                blockRoot: `0x${"11".repeat(32)}`,
                column,
                fork: "gloas" as const,
                ssz: Uint8Array.of(column)
              })),
          absent: []
        })
})

const layerProber = Layer.effect(
  Prober,
  Effect.map(Fakes, ({ script }) =>
    Prober.of({
      probe: (request) =>
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          script.probes.push({ peerId: request.job.peerId, at, asked: request })
          const usual = { ...probeOf(request, at, yield* script.probe(request)), evidence: script.evidence }
          const { probe, ...other } = script.result(request, at)
          return { ...usual, ...other, probe: { ...usual.probe, ...probe } }
        })
    })
  )
)

export const layerSampler = Layer.succeed(
  Sampler,
  Sampler.of({
    unload: () => Effect.void,
    allows: (_claims, { startSlot }) => Effect.succeed(startSlot < 1000),
    next: (peerId) => Effect.succeedSome({ peerId, startSlot: 4, count: 1, columns: [1] }),
    record: () => Effect.succeedNone
  })
)

export const layerIdleSampler = Layer.map(layerSampler, (context) =>
  Context.make(Sampler, { ...Context.get(context, Sampler), next: () => Effect.succeedNone })
)

const options: PeersOptions = {
  addresses: [dialled],
  providers: [],
  disconnectBelow: Option.none(),
  allows: () => true,
  testInterval: Duration.seconds(10),
  refreshInterval: Duration.seconds(4),
  dailyBytes: Infinity,
  confirmAfter: Duration.minutes(10),
  verdictWindow: Duration.days(7),
  grace: Duration.minutes(1),
  maxPeers: 100
}

const layerCommitments = Layer.effect(
  CommitmentCache,
  Effect.map(Fakes, ({ script }) =>
    CommitmentCache.of({
      range: ({ end, start }) =>
        Effect.sync(() =>
          Array.from({ length: end - start + 1 }, (_, index): SlotFacts => ({
            _tag: "Block",
            block: blockAt(start + index, script.root)
          }))
        ),
      confirm: (slot) => Effect.sync(() => ({ _tag: "Block" as const, block: blockAt(slot, script.root) })),
      columnSlots: () => -1,
      replacedSince: (seen) => ({ seen, blocks: [] }),
      orphan: () => Option.none(),
      backfill: Effect.succeed({ mode: "off", stage: "off", slotsPerSecond: 0, secondsLeft: null, stored: 0 }),
      progress: Effect.succeed({ known: 1, wanted: 1, oldest: Option.none(), unknown: 0 }),
      headSlot: Effect.succeed(1000),
      finalized: Effect.sync(() => script.finalized),
      compare: ({ root }) => Effect.succeed(root === ourRoot ? "ours" : root === "0xunknown" ? "unknown" : "other")
    })
  )
)

const blockAt = (slot: number, root: string): Block => ({
  slot,
  root,
  parentRoot: "0x",
  fork: "gloas",
  commitments: [new Uint8Array(48)],
  payload: "full",
  signature: Option.none()
})

const layerSelfDoubt = Layer.effect(
  SelfDoubt,
  Effect.map(Fakes, ({ script }) =>
    SelfDoubt.of({
      hear: () => Effect.void,
      hearOfBlocks: () => Effect.void,
      takeLacked: Effect.succeed([]),
      hearFinality: () => Effect.void,
      reason: Effect.sync(() => script.doubt),
      reasonAt: Effect.sync(() => () => script.doubt),
      publication: Effect.succeed(() => Option.none()),
      given: () => Effect.succeed(new Set()),
      awaitOthers: () => Effect.void,
      peersAgree: Effect.succeed(true)
    })
  )
)

const layerExterns = Layer.effect(
  Externs,
  Effect.map(Fakes, ({ script }) =>
    Externs.of({
      chain,
      peerRefresh: ({ peerId }) => {
        script.refreshes.push(peerId)
        return script.refresh(peerId)
      },
      chainQuery: () => Effect.succeed([]),
      chainHead: Effect.succeed({ slot: 1000, root: "0x00" }),
      chainEvents: Stream.never
    })
  )
)

export interface Parts {
  readonly workers?: number
  readonly sampler?: Layer.Layer<Sampler, never, CommitmentCache | Externs | History>
  readonly history?: Layer.Layer<History>
  readonly lag?: Layer.Layer<LoopLag>
  /** Bytes a second. */
  readonly bandwidth?: number
  /** What is drawn; by default every wait is as short as it may be. */
  readonly random?: Layer.Layer<never>
}

/** The supervisor over fakes that are set up before it starts. */
export const world = (
  prepare: (script: Script) => void = () => {},
  over: Partial<PeersOptions> = {},
  {
    bandwidth = Infinity,
    history = MemoryHistory.layer,
    lag = LoopLag.layerNone,
    random = layerPunctual,
    sampler = layerSampler,
    workers = 4
  }: Parts = {}
) =>
  Peers.layer({ ...options, ...over }).pipe(
    Layer.provide([layerHost, layerProber, sampler, layerSelfDoubt]),
    Layer.provide(layerCommitments),
    Layer.provide([layerExterns, ProbeWorkers.layer(workers)]),
    Layer.provideMerge(
      Layer.mergeAll(
        ProbeTotals.layer,
        Bandwidth.layer(bandwidth),
        lag,
        history,
        MemoryEventBus.layer(),
        MemoryEvidence.layer(),
        Daemons.layer
      )
    ),
    Layer.provideMerge(layerFakes(prepare)),
    Layer.provide(random)
  )

export const view = (peerId: string) =>
  Effect.map(Peers, (peers) => {
    const found = Option.getOrUndefined(peers.view(peerId))
    if (found === undefined) throw new Error("the peer is not tracked")
    return found
  })

export const timesOf = (script: Script, peerId: string) =>
  script.probes.filter((probe) => probe.peerId === peerId).map(({ at }) => at)
