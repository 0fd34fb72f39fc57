import { Metric, MetricBoundaries } from "effect"

/**
 * Every metric of the monitor. Durations are seconds, sizes bytes; counters end in `_total` and start at zero with
 * the program. Labels are `outcome`, `finding`, `verdict` and `client` (`ClientFamily`), never a peer: entries are kept
 * for good.
 */

export const probesStarted = counter("dasmon_probes_started_total", "Probes begun.")
export const probesCompleted = counter("dasmon_probes_completed_total", "Probes that ended, however they went.")
export const probesInFlight = Metric.gauge("dasmon_probes_in_flight", { description: "Probes under way." })

/** Labels: `outcome`, `client`. */
export const outcomes = counter(
  "dasmon_outcomes_total",
  "Outcomes of combinations (slot, column of one peer), by kind."
)
/** Labels: `finding`, `client`. */
export const findings = counter("dasmon_findings_total", "Facts about peers that say nothing about what they store.")

export const firstByteSeconds = Metric.histogram(
  "dasmon_probe_first_byte_seconds",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]),
  "From a request written to the first byte of its answer."
)
export const probeSeconds = Metric.histogram(
  "dasmon_probe_duration_seconds",
  MetricBoundaries.fromIterable([0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60]),
  "From the start of a probe to the end of its last answer."
)
export const verifySeconds = Metric.histogram(
  "dasmon_verify_duration_seconds",
  MetricBoundaries.fromIterable([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]),
  "Verification of the sidecars of one answer, time in the queue included."
)
export const receivedBytes = counter("dasmon_received_bytes_total", "Compressed bytes of answers to probes.")

/** Labels: `verdict`, `client`. */
export const peers = Metric.gauge("dasmon_peers", { description: "Peers that are tracked, by verdict." })
/** Labels: `client`. */
export const peersConnected = Metric.gauge("dasmon_peers_connected", { description: "Peers that are connected." })

export const headSlot = Metric.gauge("dasmon_head_slot", { description: "Slot of the newest head." })
export const commitmentsKnown = Metric.gauge("dasmon_commitments_known_slots", {
  description: "Slots of the history window whose ground truth is known."
})
export const commitmentsWanted = Metric.gauge("dasmon_commitments_wanted_slots", {
  description: "Slots in the history window."
})
export const historyQueueDepth = Metric.gauge("dasmon_history_queue_depth", {
  description: "Records that wait to be written to the database."
})
export const historyPaused = Metric.gauge("dasmon_history_paused", {
  description: "1 while the database cannot be written and records wait, else 0."
})
export const defects = counter("dasmon_defects_total", "Fibers that died of a bug and were started again.")
export const eventsLost = counter(
  "dasmon_metrics_events_lost_total",
  "Events that came too fast to be counted here: the other counters lack them."
)

export const webSocketClients = Metric.gauge("dasmon_websocket_clients", { description: "WebSockets that are open." })
export const webSocketClientsCut = counter(
  "dasmon_websocket_clients_cut_total",
  "WebSockets closed by the server, most for being too slow."
)

export const xatuQueueDepth = Metric.gauge("dasmon_xatu_queue_depth", {
  description: "Events for Xatu that wait in memory or are being sent."
})
export const xatuSpilledBytes = Metric.gauge("dasmon_xatu_spilled_bytes", {
  description: "Events for Xatu that wait on disk."
})
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
export const xatuExportSeconds = Metric.histogram(
  "dasmon_xatu_export_seconds",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
  "From a batch sent to the answer of the Xatu server, whatever it is."
)

export const eventLoopDelayMedian = Metric.gauge("dasmon_event_loop_delay_median_seconds", {
  description: "Median delay of the event loop over the last interval."
})
export const eventLoopDelayP99 = Metric.gauge("dasmon_event_loop_delay_p99_seconds", {
  description: "99th percentile of the delay of the event loop over the last interval."
})
export const eventLoopDelayMax = Metric.gauge("dasmon_event_loop_delay_max_seconds", {
  description: "Greatest delay of the event loop over the last interval."
})
export const residentMemory = Metric.gauge("dasmon_resident_memory_bytes", {
  description: "Memory of the process, native code and worker threads included."
})

/** The clients that are told apart in labels. */
export const clientFamilies = [
  "lighthouse",
  "prysm",
  "teku",
  "nimbus",
  "lodestar",
  "grandine",
  "other",
  "unknown"
] as const
export type ClientFamily = (typeof clientFamilies)[number]

/** The family of an agent string such as `Lighthouse/v8.0.0-…`; `unknown` for a peer that has not said. */
export const clientFamily = (agent: string | null): ClientFamily => {
  if (agent === null || agent === "") return "unknown"
  const name = agent.toLowerCase()
  return clientFamilies.find((family) => name.startsWith(family)) ?? "other"
}

function counter(name: string, description: string) {
  return Metric.counter(name, { description, incremental: true })
}
