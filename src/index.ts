/**
 * The package `dasmon`: the engine, its seams, its stores and the layers to compose it of. What listens, dials or ships is
 * in packages of its own (`entry/`), so that a host loads none of it that it does not use.
 */

export { type AsyncMonitor, type EventsOptions, startAsync } from "./AsyncMonitor.ts"
export { Dasmon, type EngineOptions, Snapshot } from "./Dasmon.ts"

export { Config, type ConfigInput, defaultConfig } from "./config/Config.ts"
export { ConfigError } from "./config/ConfigError.ts"
export { loadConfig, parseConfig } from "./config/ConfigFile.ts"
export { makeConfig } from "./config/DecodeConfig.ts"

/* What PeerDAS is, and what is found out. */

export type { BlobRequest } from "./blobs/Blobs.ts"
export {
  BlobsNotRecoverable,
  BlobsUndecided,
  EmptySlot,
  type NoBlobs,
  NoSuchBlob,
  OutOfRetention,
  TooManyFetches,
  UnknownBlock
} from "./domain/blobs/BlobErrors.ts"
export { BlobAccount, type FetchedBlob, type FetchedBlobs } from "./domain/blobs/FetchedBlobs.ts"
export { custodyColumns, custodyGroups } from "./domain/column/Custody.ts"
export { dataColumnSidecars, frameOf, frameOfBlock, type SidecarFrame } from "./domain/column/MakeSidecars.ts"
export { blobOfRow, type CellKzg, computeMatrix, type Matrix, recoverMatrix } from "./domain/column/Matrix.ts"
export { viewSidecar } from "./domain/column/SidecarView.ts"
export { rowOfVersionedHash, versionedHash } from "./domain/column/VersionedHash.ts"
export { ColumnArrival } from "./domain/arrival/ColumnArrival.ts"
export { GossipFault } from "./domain/gossip/GossipFault.ts"
export { GossipFaults } from "./domain/gossip/GossipFaults.ts"
export { MatrixProgress } from "./domain/matrix/MatrixProgress.ts"
export {
  CustodyUpdate,
  Event,
  type EventOf,
  EventTag,
  Gap,
  NodeTracking,
  Sampling,
  ScanProgress,
  SlotAvailability,
  SystemSnapshot
} from "./domain/Event.ts"
export type { EventFilter } from "./domain/EventFilter.ts"
export type { Block, ChainEvent, Head, SlotFacts, SlotRoot } from "./domain/network/Block.ts"
export type { BlobParameters, ChainParameters, Fork, ForkName, SlotRange } from "./domain/network/Chain.ts"
export { forkDigestAt } from "./domain/network/ForkDigest.ts"
export { Claim } from "./domain/peer/Claim.ts"
export type { ClaimParts } from "./domain/peer/ClaimParts.ts"
export { Finding, FindingKind } from "./domain/peer/Finding.ts"
export { nodeIdOfPeerId, UnknownNodeId } from "./domain/peer/NodeId.ts"
export { decodeNodeRecord, InvalidNodeRecord, type NodeRecord } from "./domain/peer/NodeRecord.ts"
export { InvalidPeerAddress, parsePeerAddress, type PeerAddress } from "./domain/peer/PeerAddress.ts"
export { PeerView } from "./domain/peer/PeerView.ts"
export { Verdict } from "./domain/peer/Verdict.ts"
export { Epoch, PeerId, Root, Slot } from "./domain/Primitives.ts"
export { Job, Outcome, Probe, Timings } from "./domain/probe/Job.ts"
export {
  type Blame,
  blameOf,
  ColumnsUnavailable,
  describe,
  InvalidColumn,
  MalformedResponse,
  MissingColumn,
  OutcomeCounts,
  OutcomeKind,
  outcomeOf,
  PeerDisconnected,
  PeerRefused,
  ProbeError,
  ProbeTimeout,
  type RequestError,
  Unverifiable
} from "./domain/probe/Outcome.ts"
export {
  NothingToAsk,
  NotConnected,
  type NotProbed,
  ProbeTookTooLong,
  TooManyWaiting,
  TooSoon,
  UnknownPeer
} from "./domain/probe/ProbeNow.ts"
export { PeerDetail } from "./domain/report/PeerDetail.ts"
export * as Question from "./domain/report/Question.ts"
export { ScanReport } from "./domain/scan/ScanReport.ts"
export {
  InvalidScan,
  type NotScanned,
  ScanRequest,
  ScansUnavailable,
  ScanState,
  ScanUnderWay,
  TooManyScans,
  UnknownScan
} from "./domain/scan/ScanRequest.ts"
export { ScanVerdict } from "./domain/scan/ScanVerdict.ts"
export { SlotDetail } from "./domain/report/SlotDetail.ts"
export { Status } from "./domain/Status.ts"

/* The seams: what a host implements, or takes from `dasmon/host`. */

export { BeaconNodes } from "./host/BeaconNodes.ts"
export { BlockRoots } from "./host/BlockRoots.ts"
export { Externs, ExternsError } from "./host/Externs.ts"
export { Discovery, type DiscoverySource, merged as mergedDiscovery, type NodeFound } from "./discovery/Discovery.ts"
export type { ProvenRange } from "./host/ProvenRange.ts"
export { Gossip, type GossipMessage, type GossipVerdict, type Joining, NotPublished } from "./host/Gossip.ts"
export { type GossipQuestions, GossipTruth, type ImportedBlock, type Proposers } from "./host/GossipTruth.ts"
export { type ConnectedPeer, type DialError, Host, type HostEvent, NotDialled } from "./host/Host.ts"
export { Identified } from "./host/Identified.ts"
export { ScanHost, type ScanNode, type ScanSource } from "./host/ScanHost.ts"
export { SecondHost, type SecondIdentity } from "./host/SecondHost.ts"
export type { ResponseStream } from "./wire/Client.ts"
export type { RequestMessage, ResponseChunk } from "./wire/Message.ts"

/* What runs in the background, and what is known of it. */

export { daemon, Daemons, type FailingDaemon } from "./runtime/Daemon.ts"
export { Doubts } from "./runtime/Doubts.ts"

/* What `Dasmon.layerOver` is composed of: each service, and its layers. */

export { ColumnArrivals } from "./arrival/ColumnArrivals.ts"
export * as ChainCommitments from "./chain/ChainCommitments.ts"
export { CommitmentCache } from "./chain/CommitmentCache.ts"
export { AddressBook } from "./discovery/book/AddressBook.ts"
export type { BookChange, BookClaim, BookEntry, BookSource, Heard } from "./discovery/book/BookEntry.ts"
export * as MemoryBook from "./discovery/book/MemoryBook.ts"
export { EventBus, type Replay } from "./events/EventBus.ts"
export { type EventStream, makeEventStream } from "./events/EventStream.ts"
export { EventLogError } from "./events/LogFile.ts"
export * as MemoryEventBus from "./events/MemoryEventBus.ts"
export { Evidence } from "./evidence/Evidence.ts"
export { type EvidenceBounds, EvidenceStore } from "./evidence/EvidenceStore.ts"
export * as FolderEvidence from "./evidence/FolderEvidence.ts"
export * as MemoryEvidence from "./evidence/MemoryEvidence.ts"
export * as MemoryReports from "./history/report/MemoryReports.ts"
export { ReportError, Reports } from "./history/report/Reports.ts"
export * as ReportsInline from "./history/report/ReportsInline.ts"
export * as ReportsWorker from "./history/report/ReportsWorker.ts"
export { History, HistoryError, type PeerHistory } from "./history/store/History.ts"
export * as MemoryHistory from "./history/store/MemoryHistory.ts"
export * as SqliteHistory from "./history/store/SqliteHistory.ts"
export * as InlineRecoverer from "./kzg/InlineRecoverer.ts"
export * as InlineVerifier from "./kzg/InlineVerifier.ts"
export { KzgThreads, type KzgThreadsOptions } from "./kzg/KzgThreads.ts"
export {
  type BadColumn,
  BadColumns,
  type Blobs,
  type ColumnsOfBlock,
  type ProvenBlob,
  type Recovered,
  type RecoveredRow,
  Recoverer,
  type RecoverError
} from "./kzg/Recoverer.ts"
export { type SidecarToVerify, type SidecarVerdict, Verifier, VerifierError } from "./kzg/Verifier.ts"
export * as WorkerRecoverer from "./kzg/WorkerRecoverer.ts"
export * as WorkerVerifier from "./kzg/WorkerVerifier.ts"
export { LedgerStore } from "./ledger/LedgerStore.ts"
export { ProvenLedger } from "./ledger/ProvenLedger.ts"
export * as ProvenVerifier from "./ledger/ProvenVerifier.ts"
export * as SqliteLedger from "./ledger/SqliteLedger.ts"
