/** Everything that a program of your own may import to run the monitor, or a part of it. */
import "./wire/Polyfill.ts"

export { type AsyncMonitor, type EventsOptions, startAsync } from "./AsyncMonitor.ts"
export { Dasmon, type EngineOptions, Snapshot } from "./Dasmon.ts"

export { Config, type ConfigInput, defaultConfig } from "./config/Config.ts"
export { ConfigError } from "./config/ConfigError.ts"
export { loadConfig, parseConfig } from "./config/ConfigFile.ts"
export { makeConfig } from "./config/DecodeConfig.ts"

export type { Block, ChainEvent, Head, SlotFacts } from "./domain/network/Block.ts"
export type { BlobParameters, ChainParameters, Fork, ForkName, SlotRange } from "./domain/network/Chain.ts"
export { Claim } from "./domain/peer/Claim.ts"
export type { ClaimParts } from "./domain/peer/ClaimParts.ts"
export { custodyColumns, custodyGroups } from "./domain/column/Custody.ts"
export {
  CustodyUpdate,
  Event,
  type EventOf,
  EventTag,
  Gap,
  NodeTracking,
  Sampling,
  SystemSnapshot
} from "./domain/Event.ts"
export type { EventFilter } from "./domain/EventFilter.ts"
export { Finding, FindingKind } from "./domain/peer/Finding.ts"
export { forkDigestAt } from "./domain/network/ForkDigest.ts"
export { nodeIdOfPeerId } from "./domain/peer/NodeId.ts"
export { Job, Outcome, Probe, Timings } from "./domain/probe/Job.ts"
export { decodeNodeRecord, type NodeRecord } from "./domain/peer/NodeRecord.ts"
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
export { parsePeerAddress, type PeerAddress } from "./domain/peer/PeerAddress.ts"
export { PeerView } from "./domain/peer/PeerView.ts"
export { PeerDetail } from "./domain/report/PeerDetail.ts"
export * as Question from "./domain/report/Question.ts"
export { SlotDetail } from "./domain/report/SlotDetail.ts"
export { Status } from "./domain/Status.ts"
export { Verdict } from "./domain/peer/Verdict.ts"

export { Externs, ExternsError } from "./host/Externs.ts"
export { type ConnectedPeer, type DialError, Host, type HostEvent, NotDialled } from "./host/Host.ts"
export * as Libp2pHost from "./host/libp2p/Libp2pHost.ts"
export * as Standalone from "./host/Standalone.ts"
export type { ResponseStream } from "./wire/Client.ts"
export type { RequestMessage, ResponseChunk } from "./wire/Message.ts"

export { CommitmentCache } from "./chain/CommitmentCache.ts"
export * as ChainCommitments from "./chain/ChainCommitments.ts"
export { EventBus, type Replay } from "./events/EventBus.ts"
export { type EventStream, makeEventStream } from "./events/EventStream.ts"
export * as MemoryEventBus from "./events/MemoryEventBus.ts"
export { History, HistoryError, type PeerHistory } from "./history/store/History.ts"
export * as MemoryHistory from "./history/store/MemoryHistory.ts"
export { ReportError, Reports } from "./history/report/Reports.ts"
export * as ReportsInline from "./history/report/ReportsInline.ts"
export * as ReportsWorker from "./history/report/ReportsWorker.ts"
export * as SqliteHistory from "./history/store/SqliteHistory.ts"
export { Verifier, VerifierError } from "./kzg/Verifier.ts"
export * as WorkerVerifier from "./kzg/WorkerVerifier.ts"

export * as HttpServer from "./http/server/Server.ts"
export * as MetricsRecorder from "./http/metrics/MetricsRecorder.ts"
export * as MetricsServer from "./http/metrics/MetricsServer.ts"

export type { XatuConfig } from "./config/XatuConfig.ts"
export * as Xatu from "./xatu/Xatu.ts"
export { XatuError } from "./xatu/XatuError.ts"
