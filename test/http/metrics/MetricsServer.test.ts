import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric, Schema, TestClock } from "effect"
import { coverageView } from "../../../src/domain/probe/Confidence.ts"
import { custodyTotals } from "../../../src/domain/peer/PeerTotals.ts"
import { httpRoutes, peerChanges } from "../../../src/domain/metrics/Metrics.ts"
import { noOutcomes, type OutcomeKind } from "../../../src/domain/probe/Outcome.ts"
import { Status } from "../../../src/domain/Status.ts"
import * as MetricsRecorder from "../../../src/http/metrics/MetricsRecorder.ts"
import * as MetricsServer from "../../../src/http/metrics/MetricsServer.ts"
import * as Server from "../../../src/http/server/Server.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { get } from "../Client.ts"
import { parseExposition, valueOf } from "./Exposition.ts"
import { makeFakeDasmon, peerOf, probeOf, statusOf, trappedProbe } from "../FakeDasmon.ts"
import { eventually } from "../../Eventually.ts"

const others = "# HELP others_total Others.\n# TYPE others_total counter\nothers_total 7\n"

const decodePaths = Schema.decode(
  Schema.parseJson(Schema.Struct({ paths: Schema.Record({ key: Schema.String, value: Schema.Unknown }) }))
)

/** Over all labels. */
const sumOf = (metrics: ReturnType<typeof parseExposition>, name: string): number =>
  metrics.get(name)?.samples.reduce((sum, { value }) => sum + value, 0) ?? NaN

const outcome = (slot: number, outcome: OutcomeKind) => ({
  slot,
  column: 3,
  outcome,
  blockRoot: "0x00",
  blobs: 2
})

const nothingTaken = { open: null, firstByte: null, total: 0 }

describe("the metrics", () => {
  it.scoped("agree with the events and the status, and stand on a port of their own", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* fake.setStatus(
        statusOf({ probes: { started: 7, completed: 5, inFlight: 2 }, outcomes: { ...noOutcomes, success: 40 } })
      )
      yield* fake.setPeers([peerOf("A"), peerOf("B", { agent: "teku/26.1.0", verdict: "violating", connected: false })])
      // As the program composes them: one build, in which both servers must stay apart.
      const context = yield* Layer.build(
        Layer.mergeAll(
          Server.layer({ host: "127.0.0.1", port: 0 }),
          MetricsServer.layer({ host: "127.0.0.1", port: 0, more: Effect.succeed(others) }),
          MetricsRecorder.layer
        ).pipe(Layer.provide(fake.layer))
      )
      const metricsUrl = Context.get(context, MetricsServer.MetricsAddress).url
      const url = Context.get(context, Server.HttpAddress).url
      const scrape = Effect.map(get(metricsUrl), ({ text }) => parseExposition(text))

      const outcomes = [outcome(100, "success"), outcome(101, "success"), outcome(102, "missing")]
      yield* fake.publish({
        _tag: "Sampling",
        conversation: "answered",
        probe: probeOf("A", { bytes: 1000, outcomes, findings: [{ kind: "duplicate_sidecar", detail: "twice" }] }),
        coverage: coverageView({ owed: 200, tested: 50, failed: 2 })
      })
      yield* fake.publish({
        _tag: "Sampling",
        conversation: "unanswered",
        probe: probeOf("B", {
          bytes: 24,
          timings: { open: null, firstByte: null, total: 10_000 },
          outcomes: [outcome(103, "timeout")]
        }),
        coverage: null
      })
      const confirmations = [
        [outcome(90, "missing"), outcome(91, "success")],
        [outcome(92, "success"), outcome(93, "unverifiable")],
        [outcome(94, "success"), outcome(95, "suspected")],
        [outcome(96, "refused")]
      ]
      for (const outcomes of confirmations) {
        const probe = probeOf("A", { purpose: "confirmation", bytes: 0, requests: 0, outcomes, timings: nothingTaken })
        yield* fake.publish({ _tag: "Sampling", conversation: "answered", probe, coverage: null })
      }
      const refined = peerOf("A", {
        verdict: "violating",
        coverage: coverageView({ owed: 210, tested: 60, failed: 3 })
      })
      yield* fake.publish({ _tag: "NodeTracking", change: "verdict", detail: "", peerId: "A", peer: refined })
      yield* fake.publish({
        _tag: "NodeTracking",
        change: "forgotten",
        detail: "",
        peerId: "B",
        peer: peerOf("B")
      })
      const final = statusOf({
        headSlot: 333,
        probes: { started: 13, completed: 11, inFlight: 2 },
        outcomes: { ...noOutcomes, success: 45, missing: 2, timeout: 1, unverifiable: 1, suspected: 1, refused: 1 },
        custody: custodyTotals([peerOf("A", { suspicions: 7 })]),
        audit: {
          known: 90,
          reachable: 60,
          audited: { hour: 10, day: 20, window: 30 },
          peersPerHour: 12,
          roundDoneAt: null,
          columnsLacking: 5
        },
        evidence: { state: "failing", reason: "the disk is full", pieces: 4, bytes: 16384, lost: 2 },
        defects: 3
      })
      yield* fake.setStatus(final)
      yield* fake.publish({ _tag: "SystemSnapshot", status: { ...final, sequence: 5 } })

      const metrics = yield* eventually(
        Effect.map(scrape, (metrics) => valueOf(metrics, "dasmon_head_slot") === 333 && metrics)
      )
      const status = yield* Effect.flatMap(get(`${url}/status`), ({ text }) =>
        Schema.decode(Schema.parseJson(Status))(text)
      )
      for (const [kind, count] of Object.entries(status.outcomes)) {
        const samples = metrics.get("dasmon_outcomes_total")?.samples.filter(({ labels }) => labels["outcome"] === kind)
        assert.strictEqual(
          samples?.reduce((sum, { value }) => sum + value, 0),
          count,
          kind
        )
      }
      assert.strictEqual(valueOf(metrics, "dasmon_outcomes_total", { outcome: "missing", client: "lighthouse" }), 2)
      assert.strictEqual(valueOf(metrics, "dasmon_outcomes_total", { outcome: "timeout", client: "teku" }), 1)
      assert.strictEqual(sumOf(metrics, "dasmon_probes_completed_total"), status.probes.completed)
      const completed = { conversation: "unanswered", client: "teku" }
      assert.strictEqual(valueOf(metrics, "dasmon_probes_completed_total", completed), 1)
      assert.strictEqual(valueOf(metrics, "dasmon_received_bytes_total", { client: "lighthouse" }), 1000)
      assert.strictEqual(sumOf(metrics, "dasmon_received_bytes_total"), 1024)
      assert.strictEqual(valueOf(metrics, "dasmon_probe_requests_total"), 2)
      assert.strictEqual(valueOf(metrics, "dasmon_evidence_pieces"), 4)
      assert.strictEqual(valueOf(metrics, "dasmon_evidence_lost_total"), 2)
      assert.strictEqual(valueOf(metrics, "dasmon_evidence_failing"), 1)
      assert.strictEqual(valueOf(metrics, "dasmon_events_total", { event: "Sampling" }), 6)
      assert.strictEqual(valueOf(metrics, "dasmon_peer_changes_total", { change: "forgotten" }), 1)
      assert.strictEqual(valueOf(metrics, "dasmon_suspected_combinations"), 7)
      assert.strictEqual(valueOf(metrics, "dasmon_nodes_known"), 90)
      assert.strictEqual(valueOf(metrics, "dasmon_nodes_reachable"), 60)
      assert.strictEqual(valueOf(metrics, "dasmon_peers_audited", { within: "day" }), 20)
      assert.strictEqual(valueOf(metrics, "dasmon_audit_pace_peers_per_hour"), 12)
      assert.strictEqual(valueOf(metrics, "dasmon_audit_round_left_seconds"), -1)
      assert.strictEqual(valueOf(metrics, "dasmon_columns_lacking"), 5)
      for (const [result, count] of [
        ["settled", 1],
        ["dropped", 1],
        ["escaped", 2]
      ] as const) {
        assert.strictEqual(valueOf(metrics, "dasmon_confirmations_total", { result, client: "lighthouse" }), count)
      }
      for (const [name, value] of [
        ["owed", 210],
        ["tested", 60],
        ["failed", 3]
      ] as const) {
        assert.strictEqual(sumOf(metrics, `dasmon_coverage_${name}_combinations`), value)
      }
      assert.strictEqual(
        valueOf(metrics, "dasmon_findings_total", { finding: "duplicate_sidecar", client: "lighthouse" }),
        1
      )
      assert.strictEqual(valueOf(metrics, "dasmon_peers", { verdict: "violating", client: "lighthouse" }), 1)
      assert.strictEqual(valueOf(metrics, "dasmon_peers", { verdict: "unknown", client: "lighthouse" }), 0)
      assert.strictEqual(valueOf(metrics, "dasmon_peers", { verdict: "violating", client: "teku" }), 0)
      assert.strictEqual(valueOf(metrics, "dasmon_peers_connected", { client: "lighthouse" }), 1)
      assert.strictEqual(valueOf(metrics, "dasmon_probe_duration_seconds_sum", { client: "teku" }), 10)
      assert.strictEqual(valueOf(metrics, "dasmon_probe_duration_seconds_sum", { client: "lighthouse" }), 0.12)
      assert.strictEqual(valueOf(metrics, "dasmon_probe_first_byte_seconds_count", { client: "lighthouse" }), 1)
      assert.strictEqual(valueOf(metrics, "dasmon_probe_first_byte_seconds_count", { client: "teku" }), 0)
      assert.strictEqual(valueOf(metrics, "dasmon_probe_open_seconds_sum", { client: "lighthouse" }), 0.003)
      assert.strictEqual(valueOf(metrics, "dasmon_metrics_events_lost_total"), 0)
      assert.isAbove(valueOf(metrics, "dasmon_resident_memory_bytes") ?? 0, 1e6)
      for (const [name, { help }] of metrics) {
        assert.match(name, /^dasmon_|^others_/)
        assert.isString(help, `${name} has no help`)
      }

      assert.strictEqual(valueOf(metrics, "others_total"), 7)

      assert.strictEqual((yield* get(`${url}/metrics`)).status, 404)
      assert.strictEqual((yield* get(`${url}/what/ever?x=/status`)).status, 404)
      const { paths } = yield* Effect.flatMap(get(`${url}/openapi.json`), ({ text }) => decodePaths(text))
      for (const path of Object.keys(paths)) {
        assert.include(httpRoutes, path.replaceAll(/\{(\w+)\}/g, ":$1"), "a label of its own")
      }
      const later = yield* scrape
      const requests = (route: string, status: string) =>
        valueOf(later, "dasmon_http_requests_total", { route, status }) ?? NaN
      assert.isAtLeast(requests("/status", "2xx"), 1)
      assert.isAtLeast(requests("/metrics", "4xx"), 1)
      assert.isAtLeast(requests("other", "4xx"), 1)
      assert.strictEqual((yield* get(metricsUrl.replace("/metrics", "/status"))).status, 404)
      assert.strictEqual((yield* get(metricsUrl)).headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
    })
  )

  it.scoped("go on behind an event at which their recording dies", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* Layer.build(Layer.provide(MetricsRecorder.layer, fake.layer))
      const changes = Effect.map(Metric.value(peerChanges.of({ change: "tracked" })), ({ count }) => count)
      const before = yield* changes
      const { arm, probe } = trappedProbe("A")
      yield* fake.publish({ _tag: "Sampling", probe, conversation: "answered", coverage: null })
      yield* arm
      for (const peerId of ["A", "B"]) {
        yield* fake.publish({ _tag: "NodeTracking", change: "tracked", detail: "", peerId, peer: peerOf(peerId) })
      }
      yield* Effect.repeatN(TestClock.adjust("1 second"), 2)
      assert.strictEqual((yield* changes) - before, 2)
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 1)
    }).pipe(Effect.provide(Daemons.layer))
  )
})
