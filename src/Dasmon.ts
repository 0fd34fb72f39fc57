import {
  Clock,
  Context,
  Duration,
  Effect,
  Fiber,
  Layer,
  Option,
  Schedule,
  Schema,
  type Scope,
  type Stream
} from "effect"
import { ColumnArrivals } from "./arrival/ColumnArrivals.ts"
import { SubscribedColumns } from "./arrival/SubscribedColumns.ts"
import { Blobs } from "./blobs/Blobs.ts"
import { canonicalSlot } from "./chain/CanonicalSlot.ts"
import { SlotSampling } from "./availability/SlotSampling.ts"
import type { Config } from "./config/Config.ts"
import { chainFileOf, evidenceFolderOf } from "./config/places/OwnPaths.ts"
import {
  custodyOptions,
  keptColumns,
  kzgParts,
  peerSetOptions,
  peersOptions,
  samplerOptions,
  slotSamplingOptions
} from "./ConfiguredParts.ts"
import { CommitmentCache } from "./chain/CommitmentCache.ts"
import * as ChainCommitments from "./chain/ChainCommitments.ts"
import * as SqliteTiles from "./chain/disk/SqliteTiles.ts"
import { Custody } from "./custody/Custody.ts"
import { type ChainParameters, epochOf, slotStart } from "./domain/network/Chain.ts"
import type { Event } from "./domain/Event.ts"
import type { Probe } from "./domain/probe/Job.ts"
import type { NotProbed, UnknownPeer } from "./domain/probe/ProbeNow.ts"
import { custodyTotals, peerCounts } from "./domain/peer/PeerTotals.ts"
import type { ProvidersView } from "./domain/peer/Providers.ts"
import { PeerView } from "./domain/peer/PeerView.ts"
import { type NotScanned, type ScanRequest, type ScanState, UnknownScan } from "./domain/scan/ScanRequest.ts"
import type { PeerDetail } from "./domain/report/PeerDetail.ts"
import type { SlotDetail } from "./domain/report/SlotDetail.ts"
import { Status } from "./domain/Status.ts"
import type { PeerId, Slot } from "./domain/Primitives.ts"
import { type BusStep, EventBus } from "./events/EventBus.ts"
import * as EventLog from "./events/EventLog.ts"
import { type EventStream, makeEventStream } from "./events/EventStream.ts"
import type { EventLogError } from "./events/LogFile.ts"
import * as MemoryEventBus from "./events/MemoryEventBus.ts"
import { defaultBounds, EvidenceStore } from "./evidence/EvidenceStore.ts"
import * as FolderEvidence from "./evidence/FolderEvidence.ts"
import { History, type HistoryError } from "./history/store/History.ts"
import { type ReportError, Reports } from "./history/report/Reports.ts"
import * as ReportsWorker from "./history/report/ReportsWorker.ts"
import * as SqliteHistory from "./history/store/SqliteHistory.ts"
import * as ColumnGossip from "./gossip/ColumnGossip.ts"
import { OwnRecord, viewOf } from "./discovery/record/OwnRecord.ts"
import { GivenPeers, type PeerTaker } from "./discovery/sources/GivenPeers.ts"
import { BeaconNodes } from "./host/BeaconNodes.ts"
import { Externs } from "./host/Externs.ts"
import type { Host } from "./host/Host.ts"
import type { Recoverer } from "./kzg/Recoverer.ts"
import type { Verifier } from "./kzg/Verifier.ts"
import { LiveMatrix } from "./matrix/LiveMatrix.ts"
import { slotMatrix } from "./matrix/SlotMatrix.ts"
import type { SlotMatrix } from "./domain/matrix/MatrixView.ts"
import { describePeer } from "./peers/DescribePeer.ts"
import { daemon, Daemons, describeFailing } from "./runtime/Daemon.ts"
import { Doubts } from "./runtime/Doubts.ts"
import { SelfDoubt } from "./probe/SelfDoubt.ts"
import { Bandwidth } from "./probe/Bandwidth.ts"
import { LoopLag } from "./runtime/LoopLag.ts"
import * as AskOthers from "./peers/AskOthers.ts"
import { Peers } from "./peers/Peers.ts"
import { Providers } from "./peers/Providers.ts"
import { PeerSet } from "./peers/set/PeerSet.ts"
import { Prober } from "./probe/Prober.ts"
import { ProbeTotals } from "./probe/ProbeTotals.ts"
import { ProbeWorkers } from "./probe/ProbeWorkers.ts"
import { Sampler } from "./sampler/Sampler.ts"
import { Scans } from "./scan/Scans.ts"
import * as SecondLook from "./second/SecondLook.ts"

/** The state of everything at one sequence number. */
export const Snapshot = Schema.Struct({
  /** UUID of this run of the program, in which the sequence numbers begin at 1. */
  run: Schema.String,
  sequence: Schema.Int,
  status: Status,
  peers: Schema.Array(PeerView)
})
export type Snapshot = typeof Snapshot.Type

/** How the engine is run, beyond what its configuration says. */
export interface EngineOptions {
  /** Whether the network is the embedded devnet. */
  readonly simulated: boolean
}

/** The engine: what a host, the HTTP API or a test sees of the monitor. */
export class Dasmon extends Context.Tag("dasmon/Dasmon")<
  Dasmon,
  {
    /** Time, forks and limits of the network that is watched. */
    readonly chain: ChainParameters
    readonly status: Effect.Effect<Status>
    readonly peers: Effect.Effect<ReadonlyArray<PeerView>>
    /** The peers that are relied on, and who else might be. */
    readonly providers: Effect.Effect<ProvidersView>
    /** Everything that is known of one peer, also of one that is only in the history. */
    readonly peer: (peerId: PeerId) => Effect.Effect<PeerDetail, UnknownPeer | ReportError>
    /** One slot, and at most `limit` (default 10) peers that hold each of its columns. */
    readonly slot: (slot: Slot, limit?: number) => Effect.Effect<SlotDetail, ReportError>
    /** What is held of the blocks of a slot, of the last 64: which columns, from where and since when. */
    readonly matrix: (slot: Slot) => Effect.Effect<SlotMatrix>
    /** Blobs of a block that is within what nodes must keep, and who gave what. */
    readonly blobs: Blobs["Type"]["fetch"]
    /** A probe as it was recorded. */
    readonly probe: (id: string) => Effect.Effect<Option.Option<Probe>, HistoryError>
    /** The peer's next probe: waits for it until the budgets of all probes allow it, and at most 45 s. */
    readonly probeNow: (peerId: PeerId) => Effect.Effect<Probe, NotProbed>
    /** Peers to look for from now on: ENRs, or multiaddrs that end in `/p2p/…`. */
    readonly givePeers: PeerTaker["give"]
    /** Begins a scan of one peer, known or not; `scanned` tells how it stands, and `events` how it goes on. */
    readonly scan: (request: ScanRequest) => Effect.Effect<ScanState, NotScanned>
    /** One of the last scans. */
    readonly scanned: (id: string) => Effect.Effect<ScanState, UnknownScan>
    /** Answers about everything that was found out. */
    readonly reports: Reports["Type"]
    /**
     * Stops probing for good; all else goes on. For whoever carries events out of the program and must not miss the last
     * ones: the event that comes last is out when this returns.
     */
    readonly halt: Effect.Effect<void>
    /**
     * What of the monitor does not work at this moment, a sentence each: the daemons that fail, also those around the
     * engine that share its `Daemons`; empty while all is well.
     */
    readonly dead: Effect.Effect<ReadonlyArray<string>>
    readonly snapshot: Effect.Effect<Snapshot>
    readonly events: EventStream
    /** A snapshot and exactly the events after it. */
    readonly subscribe: Effect.Effect<
      { readonly snapshot: Snapshot; readonly events: Stream.Stream<Event> },
      never,
      Scope.Scope
    >
  }
>() {
  /**
   * The whole monitor over a host's node and chain: history in SQLite at `databasePath`, evidence in a folder beside it,
   * KZG in worker threads, and what was proven once in a ledger. Everything that it starts ends with the layer's scope.
   * With `Daemons.layer` around it, `dead` tells also of what fails around the engine: the host's own daemons, the HTTP
   * server's; with `Doubts.layer`, the status tells what they doubt.
   */
  static readonly layer = (config: Config, options: EngineOptions = { simulated: false }) =>
    Dasmon.layerOver(config, options).pipe(
      Layer.provide([
        Layer.unwrapEffect(
          Effect.map(Externs, ({ chain }) =>
            SqliteHistory.layer({ path: config.databasePath, network: chain, retention: config.retention })
          )
        ),
        ReportsWorker.layer({ path: config.databasePath }),
        FolderEvidence.layer({ path: evidenceFolderOf(config), ...defaultBounds }),
        kzgParts(config),
        keptColumns(config),
        MemoryEventBus.layer(),
        ChainCommitments.layer({
          window: config.samplingStrategy.historyWindow,
          mode: config.backfill.mode
        }).pipe(Layer.provide(keptTiles(config)))
      ]),
      Layer.provide([Daemons.layerUnlessShared, Doubts.layerUnlessShared])
    )

  /** The same over stores, a verifier and a recoverer of the caller's choice. */
  static readonly layerOver = (
    config: Config,
    options: EngineOptions
  ): Layer.Layer<
    Dasmon,
    EventLogError,
    Externs | Host | History | Reports | Verifier | Recoverer | EventBus | CommitmentCache | EvidenceStore
  > => {
    const sampler = Sampler.layer(samplerOptions(config))
    const workers = ProbeWorkers.layer(config.workers)
    const selfDoubt = SelfDoubt.layer({ ...config, hearsOthers: true })
    const peers = Peers.layer(peersOptions(config)).pipe(
      Layer.provide([sampler, Prober.layer, workers]),
      Layer.provide([LoopLag.layer, selfDoubt])
    )
    const slotSampling = SlotSampling.layer(slotSamplingOptions(config)).pipe(Layer.provide([peers, LoopLag.layer]))
    const peerSet = PeerSet.layer(peerSetOptions(config)).pipe(Layer.provide(peers))
    const providers = Providers.layer(config.dasProviders).pipe(Layer.provide([peers, peerSet]))
    const scans = Scans.layer.pipe(Layer.provide([LoopLag.layer, selfDoubt]))
    const secondLook = SecondLook.layer(peersOptions(config)).pipe(Layer.provide([peers, workers]))
    const askOthers = AskOthers.layer.pipe(Layer.provide([peers, selfDoubt]))
    const { eventLogFile: path, eventLogKeep: keep, eventLogMaxSize: maxBytes } = config
    const log = path === undefined ? Layer.empty : EventLog.layer({ path, maxBytes, keep })
    const blobs = Blobs.layer.pipe(Layer.provide([peers, peerSet]))
    const custody = Layer.provide(Custody.layer(custodyOptions(config)), peers)
    return Layer.scoped(Dasmon, make(options, config.verdictWindow)).pipe(
      Layer.provide([
        peers,
        peerSet,
        slotSampling,
        providers,
        blobs,
        scans,
        secondLook,
        askOthers,
        ColumnGossip.layer(config.gossip)
      ]),
      Layer.provide(custody),
      Layer.provide([
        Layer.provide(ColumnArrivals.layer, LoopLag.layer),
        LiveMatrix.layer({ memoryBytes: config.gossip.matrixMemory })
      ]),
      Layer.provide(SubscribedColumns.layer),
      Layer.provide(log),
      Layer.provide([ProbeTotals.layer, Bandwidth.layer(config.bandwidthLimit)]),
      Layer.provide([Daemons.layerUnlessShared, Doubts.layerUnlessShared])
    )
  }
}

const keptTiles = (config: Config) =>
  Layer.unwrapEffect(
    Effect.map(Externs, ({ chain }) => SqliteTiles.layer({ path: chainFileOf(config), network: chain }))
  )

const make = Effect.fn("Dasmon.make")(function* (options: EngineOptions, verdictWindow: Duration.Duration) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const evidence = yield* EvidenceStore
  const bus = yield* EventBus
  const peers = yield* Peers
  const peerSet = yield* PeerSet
  const providers = yield* Providers
  const slotSampling = yield* SlotSampling
  const scans = yield* Scans
  const history = yield* History
  const reports = yield* Reports
  const totals = yield* ProbeTotals
  const bandwidth = yield* Bandwidth
  const daemons = yield* Daemons
  const doubts = yield* Doubts
  const matrix = yield* LiveMatrix
  const blobs = yield* Blobs
  const ownRecord = yield* OwnRecord
  const givenPeers = yield* GivenPeers
  const beaconNodes = yield* BeaconNodes
  const custody = yield* Custody
  const startedAt = yield* Clock.currentTimeMillis

  /** What of the status is not told by events. */
  const surroundings = Effect.all({
    now: Clock.currentTimeMillis,
    headSlot: commitments.headSlot,
    beaconNodes,
    backfill: commitments.backfill,
    commitments: Effect.map(commitments.progress, (progress) => ({
      ...progress,
      oldest: Option.getOrNull(progress.oldest)
    })),
    bandwidth: bandwidth.state,
    ownCustody: custody.state,
    history: history.state,
    evidence: evidence.state,
    ownRecord: Effect.map(ownRecord.current, (state) => Option.getOrNull(Option.map(state, viewOf))),
    doubts: doubts.all,
    daemonFailures: daemons.failures
  })

  /** Peers, counts and the number of the newest event as they are in one step of the bus: none of them without the others. */
  const snapshotIn = (
    { sequence }: BusStep,
    { daemonFailures, now, ...around }: Effect.Effect.Success<typeof surroundings>
  ): Snapshot => {
    const views = peers.views()
    const { defects, outcomes, ...probes } = totals.now()
    const status: Status = {
      network: chain.network,
      simulated: options.simulated,
      sequence: sequence(),
      uptimeSeconds: Math.floor((now - startedAt) / 1000),
      peers: {
        ...peerCounts(views),
        passedOver: peers.passedOver()
      },
      audit: peerSet.progress(),
      availability: slotSampling.state(),
      probes,
      outcomes,
      custody: custodyTotals(views),
      defects: defects + daemonFailures,
      ...around
    }
    return { run: bus.run, sequence: sequence(), status, peers: views }
  }

  const snapshot = Effect.flatMap(surroundings, (around) => bus.inOneStep((step) => snapshotIn(step, around)))
  const status = Effect.map(snapshot, ({ status }) => status)

  const subscribe = Effect.gen(function* () {
    const taken = yield* snapshot
    const { events } = yield* bus.subscribeFrom(taken.sequence)
    return { snapshot: taken, events }
  })

  const slot = (slot: number, limit?: number) =>
    Effect.gen(function* () {
      const holdings = yield* reports.slot({ slot, limit })
      const canonical = yield* Effect.provideService(canonicalSlot(slot), CommitmentCache, commitments)
      return { ...holdings, epoch: epochOf(chain, slot), startsAt: slotStart(chain, slot), canonical }
    })

  const first = yield* Effect.once(Effect.sleep(snapshotInterval))
  const tell = Effect.flatMap(surroundings, (around) =>
    bus.inOneStep((step) => step.tell({ _tag: "SystemSnapshot", status: snapshotIn(step, around).status }))
  )
  const telling = yield* daemon(
    "telling of the status",
    Effect.zipRight(first, tell),
    Schedule.spaced(snapshotInterval)
  )
  const dead = Effect.map(daemons.failing, (failing) => failing.map(describeFailing))

  return Dasmon.of({
    chain,
    status,
    peers: Effect.sync(peers.views),
    providers: providers.view,
    peer: (peerId) =>
      describePeer(peerId, verdictWindow).pipe(
        Effect.provideService(Peers, peers),
        Effect.provideService(Reports, reports),
        Effect.provideService(History, history)
      ),
    slot,
    matrix: (slot) =>
      slotMatrix(chain, slot).pipe(
        Effect.provideService(LiveMatrix, matrix),
        Effect.provideService(CommitmentCache, commitments)
      ),
    blobs: blobs.fetch,
    probe: history.probe,
    probeNow: (peerId) => peers.probe(peerId),
    givePeers: givenPeers.give,
    scan: scans.start,
    scanned: (id) =>
      Effect.flatMap(scans.state(id), Option.match({ onNone: () => new UnknownScan({ id }), onSome: Effect.succeed })),
    reports,
    halt: Effect.zipRight(Fiber.interrupt(telling), peers.halt),
    dead,
    snapshot,
    events: makeEventStream(bus),
    subscribe
  })
})

const snapshotInterval = Duration.seconds(10)
