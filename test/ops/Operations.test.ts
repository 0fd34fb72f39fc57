import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import { Status } from "../../src/domain/Status.ts"
import { getJson, start } from "../e2e/Program.ts"
import { type ParsedMetric, parseExposition } from "../http/metrics/Exposition.ts"
import { alertRules, dashboard, definedNames } from "./Files.ts"
import { namesIn } from "./PromQl.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "../e2e/Network.ts"
import { scaledMs } from "../TimeLimits.ts"

type Metrics = ReadonlyMap<string, ParsedMetric>

const expressions = [
  ...dashboard.panels.flatMap(({ targets, title }) => targets.map(({ expr }) => ({ at: `panel ${title}`, expr }))),
  ...dashboard.templating.list.flatMap(({ definition, name }) =>
    definition === undefined ? [] : [{ at: `variable ${name}`, expr: definition }]
  ),
  ...alertRules.map(({ alert, expr }) => ({ at: alert, expr }))
]

/** Labels that Prometheus itself gives every series. */
const ofPrometheus = ["instance", "job"]

describe("the dashboard", () => {
  it("has panels that are told apart, do not lie on each other, and have data", () => {
    assert.isAtLeast(dashboard.schemaVersion, 39)
    const { panels } = dashboard
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
    const cells = new Set<string>()
    for (const { gridPos, targets, title, type } of panels) {
      assert.isAtMost(gridPos.x + gridPos.w, 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.isFalse(cells.has(`${x}/${y}`), `${title} lies on another panel`)
          cells.add(`${x}/${y}`)
        }
      }
      assert.strictEqual(targets.length === 0, type === "row", title)
      assert.strictEqual(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
      for (const { expr, legendFormat } of targets) {
        const { grouping } = namesIn(expr)
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          const isGrouped = grouping.length === 0 ? expr.startsWith("dasmon_build_info") : grouping.includes(label)
          assert.isTrue(isGrouped, `${title}: ${label}`)
        }
        assert.include(expr, 'instance=~"$instance"', title)
      }
    }
    assert.deepStrictEqual(
      dashboard.templating.list.map(({ name, type }) => [name, type]),
      [
        ["datasource", "datasource"],
        ["instance", "query"]
      ]
    )
  })
})

describe("the alert rules", () => {
  it("are told apart, and say what to do", () => {
    assert.strictEqual(new Set(alertRules.map(({ alert }) => alert)).size, alertRules.length)
    for (const { alert, annotations } of alertRules) assert.isAbove(annotations.description.length, 60, alert)
  })
})

describe("metrics of the built program", () => {
  it.scopedLive("are those of the one module and of the dashboard and the alert rules, and agree with /status", () =>
    Effect.gen(function* () {
      const { metricsUrl, peerIds, url } = yield* watchDevnet
      const { metrics, status, text } = yield* eventually(quietMoment(url, metricsUrl), "90 seconds", "100 millis")

      const own = [...metrics.keys()].filter((name) => name.startsWith("dasmon_"))
      assert.deepStrictEqual(own.sort(), [...definedNames].sort())
      for (const name of metrics.keys()) assert.match(name, /^(dasmon|libp2p)_/)
      for (const peerId of peerIds) assert.notInclude(text, peerId, "no peer in a label")

      const labels = labelsOf(metrics)
      for (const { at, expr } of expressions) checkNames(at, expr, labels)

      for (const kind of outcomeKinds) {
        assert.strictEqual(sumOf(metrics, "dasmon_outcomes_total", { outcome: kind }), status.outcomes[kind], kind)
      }
      assert.strictEqual(sumOf(metrics, "dasmon_probes_completed_total"), status.probes.completed)
      assert.strictEqual(sumOf(metrics, "dasmon_probes_started_total"), status.probes.started)
      assert.strictEqual(sumOf(metrics, "dasmon_probes_in_flight"), 0)
      assert.strictEqual(sumOf(metrics, "dasmon_peers"), status.peers.tracked)
      assert.strictEqual(sumOf(metrics, "dasmon_peers", { verdict: "violating" }), 1)
      assert.strictEqual(sumOf(metrics, "dasmon_peers_connected"), status.peers.connected)
      assert.strictEqual(sumOf(metrics, "dasmon_probe_duration_seconds_count"), status.probes.completed)
      assert.isAbove(sumOf(metrics, "dasmon_coverage_failed_combinations"), 0)
      assert.isAtLeast(sumOf(metrics, "dasmon_dial_duration_seconds_count", { result: "connected" }), peerIds.length)
      assert.isAtLeast(sumOf(metrics, "dasmon_history_records_total"), status.probes.completed)
      assert.isAbove(sumOf(metrics, "dasmon_history_file_bytes"), 0)
      assert.isAbove(sumOf(metrics, "dasmon_verify_duration_seconds_count"), 0)
      assert.isAbove(sumOf(metrics, "dasmon_beacon_requests_total", { endpoint: "events", outcome: "ok" }), 0)
      assert.strictEqual(sumOf(metrics, "dasmon_beacon_requests_total", { endpoint: "other" }), 0)
      assert.isAbove(sumOf(metrics, "dasmon_http_requests_total", { route: "/status", status: "2xx" }), 0)
      for (const queue of ["dasmon_workers_waiting_probes", "dasmon_verify_queue_sidecars"]) {
        assert.strictEqual(sumOf(metrics, queue), 0, queue)
      }
      assert.isBelow(sumOf(metrics, "dasmon_head_age_seconds"), scaledMs("60 seconds") / 1000)
      const running = Date.now() / 1000 - sumOf(metrics, "dasmon_start_time_seconds")
      assert.isTrue(running > 0 && running < scaledMs("120 seconds") / 1000, `${running}`)
    })
  )
})

/** The program over a devnet of three peers, each probed every few seconds. */
const watchDevnet = Effect.gen(function* () {
  const home = yield* temporaryFolder
  const { beaconApi, peers } = yield* startNetwork("--peers honest:2,withhold:1 --seed 7")
  const file = join(home, "config.yaml")
  writeFileSync(
    file,
    [
      `beacon_api: ${beaconApi}`,
      `database_path: ${join(home, "dasmon.db")}`,
      "http_addr: 127.0.0.1:0",
      "test_interval: 2s",
      "confirm_after: 2s",
      "metrics: { enabled: true, port: 0 }",
      "peers:",
      ...peers.map(({ enr }) => `  - ${enr}`)
    ].join("\n")
  )
  const program = yield* start(["run", "--config", file])
  const [, url = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
  const [, metricsUrl = ""] = yield* program.printed(/metrics at (http:\S+)/, "10 seconds")
  // There is no event log to begin anew; and it ends nothing.
  yield* program.signal("SIGHUP")
  return { metricsUrl, peerIds: peers.map(({ peerId }) => peerId), url }
})

/** What the program says while no probe is under way, once every peer was judged. */
const quietMoment = (url: string, metricsUrl: string) =>
  Effect.gen(function* () {
    const status = Effect.flatMap(getJson(url, "/status"), Schema.decodeUnknown(Status))
    const before = yield* status
    const text = yield* Effect.promise(async () => (await fetch(metricsUrl)).text())
    const metrics = parseExposition(text)
    const after = yield* status
    const judged =
      sumOf(metrics, "dasmon_peers", { verdict: "unknown" }) === 0 &&
      sumOf(metrics, "dasmon_peers", { verdict: "violating" }) === 1
    const flushed = sumOf(metrics, "dasmon_history_file_bytes") > 0
    const quiet =
      before.sequence === after.sequence &&
      before.probes.inFlight === 0 &&
      before.probes.started === after.probes.started
    return judged && quiet && flushed && after.peers.connected === 3 && { metrics, status: after, text }
  })

const sumOf = (metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  [...metrics.values()]
    .flatMap(({ samples }) => samples)
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
    )
    .reduce((sum, { value }) => sum + value, 0)

/** The values of each label of each series, `_bucket` and its like included. */
const labelsOf = (metrics: Metrics): ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>> => {
  const series = new Map<string, Map<string, Set<string>>>()
  for (const { labels, name } of [...metrics.values()].flatMap(({ samples }) => samples)) {
    const known = series.get(name) ?? new Map<string, Set<string>>()
    series.set(name, known)
    for (const [label, value] of Object.entries(labels)) known.set(label, (known.get(label) ?? new Set()).add(value))
  }
  return series
}

/** Every series, label and value of the expression is there. */
const checkNames = (at: string, expr: string, known: ReturnType<typeof labelsOf>): void => {
  const { grouping, series } = namesIn(expr)
  assert.isAbove(series.length, 0, at)
  const all = new Set(ofPrometheus)
  for (const { matchers, name } of series) {
    const labels = known.get(name)
    if (labels === undefined) return assert.fail(`${at}: ${name} is not exported`)
    for (const label of labels.keys()) all.add(label)
    for (const { label, values } of matchers) {
      if (ofPrometheus.includes(label)) continue
      if (!labels.has(label)) return assert.fail(`${at}: ${name} has no label ${label}`)
      for (const value of values) assert.isTrue(labels.get(label)?.has(value), `${at}: ${name}, ${label}="${value}"`)
    }
  }
  for (const label of grouping) assert.isTrue(all.has(label), `${at}: nothing has the label ${label}`)
}
