/** Everything that a program of your own may import to run the monitor, or a part of it. */
import "./wire/Polyfill.ts"

export { type AsyncMonitor, type EventsOptions, startAsync } from "./AsyncMonitor.ts"
export { Dasmon, type EngineOptions, Snapshot } from "./Dasmon.ts"

export { Config, type ConfigInput, defaultConfig } from "./config/Config.ts"
export { ConfigError } from "./config/ConfigError.ts"
export { loadConfig, parseConfig } from "./config/ConfigFile.ts"
export { makeConfig } from "./config/DecodeConfig.ts"

export type { Block, ChainEvent, Head, SlotFacts } from "./domain/Block.ts"
export type { BlobParameters, ChainParameters, Fork, ForkName, SlotRange } from "./domain/Chain.ts"
export { Claim, type ClaimParts } from "./domain/Claim.ts"
export { custodyColumns, custodyGroups } from "./domain/Custody.ts"
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
export { Finding, FindingKind } from "./domain/Finding.ts"
export { forkDigestAt } from "./domain/ForkDigest.ts"
export { nodeIdOfPeerId } from "./domain/Identity.ts"
export { Job, Outcome, Probe, Timings } from "./domain/Job.ts"
export { decodeNodeRecord, type NodeRecord } from "./domain/NodeRecord.ts"
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
} from "./domain/Outcome.ts"
export {
  NothingToAsk,
  NotConnected,
  type NotProbed,
  ProbeTookTooLong,
  TooManyWaiting,
  TooSoon,
  UnknownPeer
} from "./domain/OnDemand.ts"
export { parsePeerAddress, type PeerAddress, PeerView } from "./domain/Peer.ts"
export { PeerDetail } from "./domain/PeerDetail.ts"
export * as Question from "./domain/Question.ts"
export { SlotDetail } from "./domain/SlotDetail.ts"
export { Status } from "./domain/Status.ts"
export { Verdict } from "./domain/Verdict.ts"

export { Externs, ExternsError } from "./host/Externs.ts"
export { type ConnectedPeer, type DialError, Host, type HostEvent } from "./host/Host.ts"
export * as Libp2pHost from "./host/Libp2pHost.ts"
export * as Standalone from "./host/Standalone.ts"
export type { Answer } from "./wire/Client.ts"
export type { RequestMessage, ResponseChunk } from "./wire/Message.ts"

export { CommitmentCache } from "./commitments/CommitmentCache.ts"
export * as ChainCommitments from "./commitments/ChainCommitments.ts"
export { EventBus, type Replay } from "./events/EventBus.ts"
export { type EventStream, makeEventStream } from "./events/EventStream.ts"
export * as MemoryEventBus from "./events/MemoryEventBus.ts"
export { History, HistoryError, type PeerHistory } from "./history/History.ts"
export * as MemoryHistory from "./history/MemoryHistory.ts"
export { ReportError, Reports } from "./history/Reports.ts"
export * as ReportsInline from "./history/ReportsInline.ts"
export * as ReportsWorker from "./history/ReportsWorker.ts"
export * as SqliteHistory from "./history/SqliteHistory.ts"
export { Verifier, VerifierError } from "./kzg/Verifier.ts"
export * as WorkerVerifier from "./kzg/WorkerVerifier.ts"

export * as HttpServer from "./http/Server.ts"
export * as MetricsRecorder from "./http/MetricsRecorder.ts"
export * as MetricsServer from "./http/MetricsServer.ts"

export type { XatuConfig } from "./config/XatuConfig.ts"
export * as Xatu from "./xatu/Xatu.ts"
export { XatuError } from "./xatu/XatuError.ts"
