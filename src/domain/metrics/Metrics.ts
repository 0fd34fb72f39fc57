import { AvailabilityVerdict } from "../availability/SlotVerdict.ts"
import { followDistances } from "../availability/Trailing.ts"
import { doubtKinds } from "../Doubt.ts"
import { gossipRuleNames } from "../gossip/GossipRule.ts"
import { columnShares, shareMoments } from "../arrival/ShareByTime.ts"
import { numberOfColumns } from "../network/Chain.ts"
import { beaconNodeConditions } from "../network/BeaconNodeState.ts"
import { clientFamilies } from "../peer/ClientFamily.ts"
import { FindingKind } from "../peer/Finding.ts"
import { counter, gauge, histogram, labelled } from "./MetricFamily.ts"
import { confirmationResults } from "../probe/Confirmation.ts"
import { outcomeKinds } from "../probe/Outcome.ts"
import { lookResults } from "../probe/SecondLook.ts"
import { scoreBands } from "../peer/PeerTotals.ts"
import { Verdict } from "../peer/Verdict.ts"

/**
 * Every metric of the monitor. Durations are seconds, sizes bytes; counters end in `_total` and start at zero with the
 * program. Labels have few values, all known beforehand (but for `buildInfo`), and never name a peer: a series is kept
 * for as long as the program runs.
 */

const client = clientFamilies
const quick = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/* Probes. */

export const probesStarted = counter("dasmon_probes_started_total", "Probes begun.")
/** Those begun that never come here had no ground truth to ask by, or were interrupted. */
export const probesCompleted = labelled(
  counter("dasmon_probes_completed_total", "Probes that ended with outcomes, by how they went as a conversation."),
  { conversation: ["answered", "unanswered", "refused"], client }
)
export const probesInFlight = gauge("dasmon_probes_in_flight", "Probes under way.")
export const probeRequests = counter("dasmon_probe_requests_total", "Requests for columns that probes sent.")
export const outcomes = labelled(
  counter("dasmon_outcomes_total", "Outcomes of combinations (slot, column of one peer), by kind."),
  { outcome: outcomeKinds, client }
)
export const findings = labelled(
  counter("dasmon_findings_total", "Facts about peers that say nothing about what they store."),
  { finding: FindingKind.literals, client }
)
export const confirmations = labelled(
  counter(
    "dasmon_confirmations_total",
    "Conversations that were to settle suspicions, by what came of it: blamed on the peer, delivered after all, or nothing."
  ),
  { result: confirmationResults, client }
)
export const secondLooks = labelled(
  counter(
    "dasmon_second_looks_total",
    "Looks at a peer by the second identity, by what came of comparing what each of the two was told and given."
  ),
  { result: lookResults }
)
export const secondBytes = counter(
  "dasmon_second_received_bytes_total",
  "Compressed bytes of answers to the second identity."
)
export const receivedBytes = labelled(
  counter("dasmon_received_bytes_total", "Compressed bytes of answers to probes."),
  { client }
)
export const dialSeconds = labelled(
  histogram("dasmon_dial_duration_seconds", quick, "Dials of peers: TCP, encryption and multiplexer."),
  { result: ["connected", "failed"] }
)
export const dialsWaiting = gauge("dasmon_dials_waiting_peers", "Peers that wait for their turn to be dialled.")
export const openSeconds = labelled(
  histogram("dasmon_probe_open_seconds", quick, "Opening the stream of a probe, protocol negotiation included."),
  { client }
)
export const firstByteSeconds = labelled(
  histogram(
    "dasmon_probe_first_byte_seconds",
    quick,
    "From the start of a probe's first request to the first chunk of its answer."
  ),
  { client }
)
export const probeSeconds = labelled(
  histogram(
    "dasmon_probe_duration_seconds",
    [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60],
    "From the start of a probe to its outcomes, verification included."
  ),
  { client }
)
export const verifySeconds = histogram(
  "dasmon_verify_duration_seconds",
  [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  "Verification of the sidecars of one probe, time in the queue included."
)
export const verifyQueue = gauge(
  "dasmon_verify_queue_sidecars",
  "Sidecars that are being verified or wait for a free thread."
)
export const columnsProven = labelled(
  counter(
    "dasmon_columns_proven_total",
    "Columns found to be valid, by their KZG proofs or by the ledger of those proven before."
  ),
  { by: ["kzg", "ledger"] }
)
export const ledgerBlocks = gauge(
  "dasmon_ledger_blocks",
  "Blocks of which the ledger of proven columns has some in memory."
)
export const ledgerBytes = gauge("dasmon_ledger_bytes", "Memory of the ledger of proven columns.")
export const workers = gauge("dasmon_workers", "Probes that may be under way at once.")
export const workersWaiting = gauge("dasmon_workers_waiting_probes", "Probes that wait for a free worker.")
export const bandwidthLimit = gauge(
  "dasmon_bandwidth_limit_bytes_per_second",
  "Bytes of columns a second, over all peers, that probes are held to; 0 for no limit."
)
export const bandwidthUsed = gauge(
  "dasmon_bandwidth_bytes_per_second",
  "Bytes of columns a second that probes brought, over about the last half a minute."
)
export const bandwidthWaiting = gauge(
  "dasmon_bandwidth_waiting_probes",
  "Probes that wait because of bandwidth_limit; they hold a worker."
)

/* Peers. */

export const peers = labelled(gauge("dasmon_peers", "Peers that are tracked, by verdict."), {
  verdict: Verdict.literals,
  client
})
export const peerScores = labelled(
  gauge(
    "dasmon_peers_by_score",
    "Peers that are tracked, by how far they can be relied on: fifths, from this score on."
  ),
  { from: scoreBands }
)
export const peersConnected = labelled(gauge("dasmon_peers_connected", "Peers that are connected."), { client })
export const peerChanges = labelled(
  counter("dasmon_peer_changes_total", "Peers that came, went, changed their verdict or could not be spoken to."),
  { change: ["tracked", "connected", "disconnected", "failed", "address", "verdict", "forgotten"] }
)
export const nodesKnown = gauge("dasmon_nodes_known", "Nodes in the address book.")
export const nodesReachable = gauge(
  "dasmon_nodes_reachable",
  "Nodes that are connected, or were when they were last dialled."
)
export const peersAudited = labelled(
  gauge("dasmon_peers_audited", "Peers whose last probe ended within the last hour, day, and window of the verdict."),
  { within: ["hour", "day", "window"] }
)
export const auditPace = gauge(
  "dasmon_audit_pace_peers_per_hour",
  "Peers an hour that were audited the first time in this round, as it went in the last hour."
)
export const auditRoundLeft = gauge(
  "dasmon_audit_round_left_seconds",
  "Until every peer that can be reached will have been audited in this round, at this pace; -1 while there is none."
)
export const columnsLacking = gauge("dasmon_columns_lacking", "Columns that too few of the connected peers hold.")
export const suspectedCombinations = gauge(
  "dasmon_suspected_combinations",
  "Combinations of tracked peers that are suspected, and not settled."
)
export const coverageOwed = labelled(
  gauge("dasmon_coverage_owed_combinations", "Combinations that tracked peers owe, as of the last probe of each."),
  { client }
)
export const coverageTested = labelled(
  gauge("dasmon_coverage_tested_combinations", "Of the combinations owed, those that were tested."),
  { client }
)
export const coverageFailed = labelled(
  gauge("dasmon_coverage_failed_combinations", "Of the combinations tested, those blamed on the peer."),
  { client }
)

/* The chain. */

export const headSlot = gauge("dasmon_head_slot", "Slot of the newest head.")
export const headAge = gauge("dasmon_head_age_seconds", "Time since the start of the slot of the newest head.")
export const commitmentsKnown = gauge(
  "dasmon_commitments_known_slots",
  "Slots of the history window whose ground truth is known."
)
export const commitmentsWanted = gauge("dasmon_commitments_wanted_slots", "Slots in the history window.")
export const chainQueryFailures = counter(
  "dasmon_chain_query_failures_total",
  "Questions to the chain for blocks that were not answered."
)
export const beaconEndpoints = [
  "genesis",
  "spec",
  "headers",
  "blocks",
  "blinded_blocks",
  "finality_checkpoints",
  "syncing",
  "identity",
  "peers",
  "events",
  "proposer",
  "validators",
  "other"
] as const
export const beaconRequests = labelled(
  counter("dasmon_beacon_requests_total", "Requests to beacon nodes, each attempt counted."),
  { endpoint: beaconEndpoints, outcome: ["ok", "not_found", "failed"] }
)
export const beaconRequestSeconds = labelled(
  histogram("dasmon_beacon_request_duration_seconds", quick, "Requests to beacon nodes, however they end."),
  { endpoint: beaconEndpoints }
)

export const beaconNodes = labelled(gauge("dasmon_beacon_nodes", "Configured beacon nodes in this condition."), {
  condition: beaconNodeConditions
})
export const beaconNodeInUse = gauge(
  "dasmon_beacon_node_in_use",
  "Place in beacon_api of the beacon node that is followed, from 1 on; 0 while there is none."
)
export const beaconFailovers = counter(
  "dasmon_beacon_failovers_total",
  "Times that another beacon node was followed from then on."
)

/* Gossip. */

export const gossipMessages = labelled(
  counter(
    "dasmon_gossip_messages_total",
    "Column sidecars that came by gossip, each counted once: verified and forwarded, dropped, or proven wrong."
  ),
  { verdict: ["accept", "ignore", "reject"] }
)

export const gossipRulings = labelled(
  counter(
    "dasmon_gossip_rulings_total",
    "The same by what decided: a rule of the topic, or what kept it from being checked."
  ),
  { rule: gossipRuleNames }
)
export const gossipSeconds = histogram(
  "dasmon_gossip_validation_seconds",
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  "From the arrival of a column by gossip to what was decided on it."
)
export const gossipDropped = counter(
  "dasmon_gossip_dropped_total",
  "Gossip messages that were not looked at, since their sender had sent too many."
)
export const gossipLate = counter(
  "dasmon_gossip_late_total",
  "Columns accepted so late, 4.2 s after they came, that others no longer offer them: forwarding them helped nobody."
)

/* Custody of our own. */

export const custodyKept = counter("dasmon_custody_kept_sidecars_total", "Sidecars of our own columns that were kept.")
export const custodyLost = counter(
  "dasmon_custody_lost_sidecars_total",
  "Sidecars of our own columns that came and could not be kept."
)
export const custodyBytes = gauge("dasmon_custody_bytes", "Disk that the sidecars of our own columns take.")
export const custodyFailing = gauge("dasmon_custody_failing", "1 while our own columns cannot be kept, else 0.")
export const custodyServed = labelled(
  counter("dasmon_custody_served_sidecars_total", "Sidecars that peers were given, by how they asked."),
  { by: ["range", "root"] }
)
export const custodyServedBytes = counter(
  "dasmon_custody_served_bytes_total",
  "Bytes of sidecars that peers were given."
)
export const custodyRefused = labelled(
  counter(
    "dasmon_custody_refused_total",
    "Requests for columns that were refused: too much was asked, before the earliest available slot, badly, or for trouble of ours."
  ),
  { reason: ["limited", "unavailable", "invalid", "failed"] }
)
export const custodyRecovered = counter(
  "dasmon_custody_recovered_columns_total",
  "Columns of new blocks that were recovered from others."
)
export const custodyPublished = labelled(
  counter(
    "dasmon_custody_published_columns_total",
    "Recovered columns that were published, and those that came by gossip before."
  ),
  { result: ["published", "seen"] }
)

/* Arrival of columns, and what is held of them. */

/** Of each column, as a label. */
export const numbersOfColumns = Array.from({ length: numberOfColumns }, (_, column) => String(column))
export const columnArrivalSeconds = labelled(
  histogram(
    "dasmon_column_arrival_seconds",
    [0.5, 1, 2, 3, 4, 8, 12],
    "From the slot's start to the first arrival of a column by gossip, before it was verified; early ones count as 0."
  ),
  { column: numbersOfColumns }
)
export const blocksWithColumns = labelled(
  counter(
    "dasmon_gossip_blocks_total",
    "Canonical blocks with blobs, by how many of the columns that we are on had come so long after the slot's start."
  ),
  { within: shareMoments.map((seconds) => `${seconds}s` as const), columns: columnShares }
)
export const columnsUnjudged = counter(
  "dasmon_gossip_unjudged_columns_total",
  "Columns of canonical blocks that are not called missed though none was accepted: we, or the beacon node, were too busy to judge what came."
)
export const matrixBytes = gauge("dasmon_matrix_bytes", "Memory of the columns of recent blocks.")

/* The history and the evidence. */

export const historyQueueDepth = gauge("dasmon_history_queue_depth", "Records that wait to be written to the database.")
export const historyPaused = gauge(
  "dasmon_history_paused",
  "1 while the database cannot be written and records wait, else 0."
)
export const historyWriteSeconds = histogram(
  "dasmon_history_write_duration_seconds",
  [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  "Writing one batch of records in one transaction, whether it succeeds or not."
)
export const historyRecords = counter("dasmon_history_records_total", "Records written to the database.")
export const historyRecordsLost = counter(
  "dasmon_history_records_lost_total",
  "Records that no database would take, left out of the history."
)
export const historyDeletedRows = counter("dasmon_history_deleted_rows_total", "Rows deleted for the retention.")
export const historyFileBytes = gauge("dasmon_history_file_bytes", "Size of the database file.")
export const historyWalBytes = gauge("dasmon_history_wal_bytes", "Size of the database's write-ahead log.")
export const evidencePieces = gauge("dasmon_evidence_pieces", "Pieces of evidence that are kept.")
export const evidenceBytes = gauge("dasmon_evidence_bytes", "Size of the evidence that is kept.")
export const evidenceFailing = gauge("dasmon_evidence_failing", "1 while evidence cannot be kept, else 0.")
export const evidenceLost = counter("dasmon_evidence_lost_total", "Pieces of evidence that could not be kept.")

/* Availability. */

export const availabilityVerdicts = labelled(
  counter("dasmon_availability_verdicts_total", "Blocks that were sampled, by whether they are available."),
  { verdict: AvailabilityVerdict.literals }
)
export const availabilitySeconds = histogram(
  "dasmon_availability_decided_seconds",
  [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 36, 48],
  "From the start of a slot to the verdict on its block, of those that are available or unavailable."
)
export const availabilityInTime = labelled(
  counter(
    "dasmon_availability_in_time_total",
    "Blocks that were decided when attestations were due, so many slots after their own."
  ),
  { distance: followDistances.map(String) }
)
export const availabilityPassedOver = counter(
  "dasmon_availability_passed_over_total",
  "Slots and blocks that were too old when they were heard of, or too many at once, to be sampled."
)

/* Events and HTTP. */

export const events = labelled(counter("dasmon_events_total", "Events, by what they tell of."), {
  event: [
    "Sampling",
    "CustodyUpdate",
    "NodeTracking",
    "SystemSnapshot",
    "ScanProgress",
    "ColumnArrival",
    "MatrixProgress",
    "SlotAvailability",
    "GossipFault"
  ]
})
export const eventsLost = counter(
  "dasmon_metrics_events_lost_total",
  "Events that came too fast to be counted here: the other counters lack them."
)
export const eventLogQueueDepth = gauge(
  "dasmon_event_log_queue_depth",
  "Events that wait to be written to the event log."
)
export const eventLogLost = counter("dasmon_event_log_lost_total", "Events that are not in the event log.")
const transport = ["websocket", "sse"] as const
export const streamClients = labelled(gauge("dasmon_stream_clients", "Clients of the event stream."), { transport })
export const streamClientsCut = labelled(
  counter("dasmon_stream_clients_cut_total", "Clients of the event stream sent away, most for being too slow."),
  { transport }
)
export const httpRoutes = [
  "/",
  "/status",
  "/peers",
  "/peers/:peerId",
  "/peers/:peerId/probe",
  "/providers",
  "/snapshot",
  "/slots/:slot",
  "/slots/:slot/matrix",
  "/slots/:slot/blobs/:index",
  "/slots/:slot/arrivals",
  "/availability",
  "/columns",
  "/clients",
  "/probes",
  "/probes/:id",
  "/report",
  "/scan",
  "/scan/:id",
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/docs",
  "/ws",
  "/events",
  "/metrics",
  "other"
] as const
export const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const
export const httpRequests = labelled(
  counter("dasmon_http_requests_total", "Requests answered; those for a stream when it has ended."),
  { route: httpRoutes, status: statusClasses }
)

/* Xatu. */

export const xatuQueueDepth = gauge("dasmon_xatu_queue_depth", "Events for Xatu that wait in memory or are being sent.")
export const xatuSpilledBytes = gauge("dasmon_xatu_spilled_bytes", "Events for Xatu that wait on disk.")
export const xatuSent = counter("dasmon_xatu_sent_total", "Events that the Xatu server took.")
export const xatuRefused = counter(
  "dasmon_xatu_refused_total",
  "Events that the Xatu server, or the check before sending, did not take."
)
export const xatuDropped = counter(
  "dasmon_xatu_dropped_total",
  "Events for Xatu that there was no room for, neither in memory nor on disk."
)
export const xatuMissed = counter(
  "dasmon_xatu_missed_total",
  "Events of the monitor that came too fast to be made into events for Xatu."
)
export const xatuExportSeconds = histogram(
  "dasmon_xatu_export_seconds",
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  "From a batch sent to the answer of the Xatu server, whatever it is."
)

/* This process. */

const any: ReadonlyArray<string> = []
export const buildInfo = labelled(
  gauge("dasmon_build_info", "Always 1; its labels are the versions of dasmon and of Node.js."),
  { version: any, node: any }
)
export const startTime = gauge("dasmon_start_time_seconds", "When the program started, Unix time.")
export const defects = counter(
  "dasmon_defects_total",
  "Times that a part of the monitor died of a bug; it is tried again."
)
export const doubts = labelled(
  gauge("dasmon_doubts", "1 while the monitor has this reason not to trust itself or its beacon node, else 0."),
  { kind: doubtKinds }
)
export const eventLoopDelayMedian = gauge(
  "dasmon_event_loop_delay_median_seconds",
  "Median delay of the event loop over the last interval."
)
export const eventLoopDelayP99 = gauge(
  "dasmon_event_loop_delay_p99_seconds",
  "99th percentile of the delay of the event loop over the last interval."
)
export const eventLoopDelayMax = gauge(
  "dasmon_event_loop_delay_max_seconds",
  "Greatest delay of the event loop over the last interval."
)
export const residentMemory = gauge(
  "dasmon_resident_memory_bytes",
  "Memory of the process, native code and worker threads included."
)
export const heapUsed = gauge("dasmon_heap_used_bytes", "Memory in use by JavaScript objects of the main thread.")
export const externalMemory = gauge("dasmon_external_memory_bytes", "Memory of buffers of the main thread.")
export const cpuSeconds = counter("dasmon_cpu_seconds_total", "Processor time of the process, all threads together.")
export const garbageCollectionSeconds = labelled(
  counter("dasmon_garbage_collection_seconds_total", "Time that the main thread stood still to collect garbage."),
  { kind: ["minor", "major", "incremental", "weak"] }
)
