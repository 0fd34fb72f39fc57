import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Event } from "../../src/domain/Event.ts"
import type { Probe } from "../../src/domain/probe/Job.ts"
import { noOutcomes, type OutcomeCounts, type OutcomeKind, outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import { ComplianceRow } from "../../src/domain/report/Question.ts"
import { Status } from "../../src/domain/Status.ts"
import { parseExposition } from "../http/metrics/Exposition.ts"
import { startGrpc } from "../xatu/shipping/XatuServer.ts"
import { getJson, start } from "./Program.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"

/** Everything that the program says of one run over a devnet of honest and dishonest peers. */
const run = Effect.gen(function* () {
  const home = yield* temporaryFolder
  const xatu = yield* startGrpc({})
  const {
    program: devnet,
    beaconApi,
    peers
  } = yield* startNetwork("--peers honest:2,withhold:1,corrupt-cell:1,silent:1 --seed 11")
  const [config, database, log] = ["config.yaml", "dasmon.db", "events.ndjson"].map((name) => join(home, name))
  if (config === undefined || database === undefined || log === undefined) return yield* Effect.dieMessage("no names")
  writeFileSync(
    config,
    [
      `beacon_api: ${beaconApi}`,
      `database_path: ${database}`,
      `event_log_file: ${log}`,
      "http_addr: 127.0.0.1:0",
      "test_interval: 2s",
      "confirm_after: 2s",
      "metrics: { enabled: true, port: 0 }",
      `xatu: { address: "grpc://127.0.0.1:${xatu.port}", flush_interval: 200ms }`,
      "peers:",
      ...peers.map(({ enr }) => `  - ${enr}`)
    ].join("\n")
  )
  const program = yield* start(["run", "--config", config])
  const [, url = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
  const [, metricsUrl = ""] = yield* program.printed(/metrics at (http:\S+)/, "10 seconds")
  yield* eventually(Effect.map(statusOf(url), foundEnough), "120 seconds", "200 millis")
  // Nothing more is found out while the network stands still.
  yield* devnet.signal("SIGSTOP")
  const quiet = yield* eventually(quietMoment(url, metricsUrl), "60 seconds", "100 millis")
  yield* devnet.signal("SIGCONT")
  // In the middle of whatever it does.
  yield* program.signal("SIGINT")
  const [code] = yield* program.exited("10 seconds")
  const report = yield* start(["report", "--db", database, "--by", "day", "--format", "json"])
  yield* report.exited("60 seconds")
  const folder = `${database}.evidence`
  const evidence = readdirSync(folder)
  const verify = yield* start(["verify-evidence", "--json", ...evidence.map((name) => join(folder, name))])
  const [holds] = yield* verify.exited("60 seconds")
  return {
    ...quiet,
    code,
    errors: program.errors(),
    evidence: { names: evidence, code: holds, output: verify.output() },
    profileOf: new Map(peers.map(({ peerId, profile }) => [peerId, profile])),
    events: yield* Effect.forEach(readFileSync(log, "utf8").trim().split("\n"), (line) =>
      Schema.decode(Schema.parseJson(Event))(line)
    ),
    report: yield* Schema.decode(Schema.parseJson(Schema.Array(ComplianceRow)))(report.output()),
    xatu: xatu.batches.flatMap(({ events }) => events)
  }
})

const statusOf = (url: string) => Effect.flatMap(getJson(url, "/status"), Schema.decodeUnknown(Status))

const foundEnough = ({ outcomes: { invalid, missing, success, timeout } }: Status): boolean =>
  [invalid, missing, timeout].every((count) => count > 0) && success > 300

/** What /status and the metrics say when nothing happens in between. */
const quietMoment = (url: string, metricsUrl: string) =>
  Effect.gen(function* () {
    const before = yield* statusOf(url)
    const text = yield* Effect.promise(async () => (await fetch(metricsUrl)).text())
    const after = yield* statusOf(url)
    return before.sequence === after.sequence && { status: after, metrics: parseExposition(text) }
  })

const countsOf = (probes: ReadonlyArray<Probe>): OutcomeCounts => {
  const counts: { -readonly [K in OutcomeKind]: number } = { ...noOutcomes }
  for (const { outcomes } of probes) for (const { outcome } of outcomes) counts[outcome]++
  return counts
}

/** The outcome that an event of Xatu's stands for. */
const Shipped = Schema.Struct({
  result: Schema.Struct({ value: Schema.String }),
  error: Schema.optional(Schema.NullOr(Schema.Struct({ value: Schema.String })))
})
const outcomeOf = ({ error, result }: typeof Shipped.Type): string =>
  result.value === "failure" ? ((error?.value ?? "").split(":")[0] ?? "") : result.value

describe("one run of the program", () => {
  it.scopedLive(
    "says the same in /status, metrics, event log, Xatu and report, to the last probe, and proves what it accuses",
    () =>
      Effect.gen(function* () {
        const { code, errors, events, evidence, metrics, profileOf, report, status, xatu } = yield* run
        assert.strictEqual(code, 0, errors)
        const probes = events.flatMap((event) => (event._tag === "Sampling" ? [event] : []))

        const untilQuiet = probes.filter(({ sequence }) => sequence <= status.sequence).map(({ probe }) => probe)
        assert.deepStrictEqual(countsOf(untilQuiet), status.outcomes, "event log and /status")
        assert.strictEqual(untilQuiet.length, status.probes.completed)
        const measured = { ...noOutcomes }
        for (const { labels, name, value } of [...metrics.values()].flatMap(({ samples }) => samples)) {
          const kind = outcomeKinds.find((kind) => kind === labels["outcome"])
          if (name === "dasmon_outcomes_total" && kind !== undefined)
            Object.assign(measured, { [kind]: measured[kind] + value })
        }
        assert.deepStrictEqual(measured, status.outcomes, "metrics and /status")

        const all = countsOf(probes.map(({ probe }) => probe))
        const reported = { ...noOutcomes }
        for (const { outcomes } of report)
          for (const kind of outcomeKinds) Object.assign(reported, { [kind]: reported[kind] + outcomes[kind] })
        assert.deepStrictEqual(reported, all, "report and event log")
        assert.strictEqual(
          report.reduce((sum, { probes }) => sum + (probes ?? 0), 0),
          probes.length
        )

        const shipped = { ...noOutcomes }
        for (const event of xatu) {
          const data = event.libp2p_trace_rpc_data_column_custody_probe
          if (data === undefined) continue
          const kind = yield* Schema.decodeUnknown(Schema.Literal(...Object.keys(noOutcomes)))(
            outcomeOf(yield* Schema.decodeUnknown(Shipped)(data))
          )
          Object.assign(shipped, { [kind]: (Object.entries(shipped).find(([name]) => name === kind)?.[1] ?? 0) + 1 })
        }
        // What is ours to answer for says nothing of a peer.
        assert.deepStrictEqual(shipped, { ...all, refused: 0, unverifiable: 0 }, "Xatu and event log")
        const ids = xatu.map(({ event }) => event.id)
        assert.strictEqual(new Set(ids).size, ids.length, "nothing was shipped twice")

        assert.isAbove(evidence.names.length, 0)
        const accused = new Set(evidence.names.map((name) => /_([A-Za-z0-9]+)\.json$/.exec(name)?.[1] ?? name))
        assert.deepStrictEqual(
          [...accused].map((peerId) => profileOf.get(peerId)),
          ["corrupt-cell"]
        )
        assert.strictEqual(evidence.code, 0, evidence.output)
      })
  )
})
