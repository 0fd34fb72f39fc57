import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { LogLine } from "../../src/events/EventLog.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"
import { getJson, start } from "./Program.ts"

const peerCount = 4

describe("the monitor's own trouble", () => {
  it.scopedLive("reaches no peer's record: a stop of the whole process, a database that is locked, a restart", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork(`--peers honest:${peerCount} --seed 3 --slot-duration 1s`)
      const database = join(home, "dasmon.db")
      const log = join(home, "events.ndjson")
      const config = join(home, "config.yaml")
      yield* Effect.sync(() =>
        writeFileSync(
          config,
          [
            `beacon_api: ${beaconApi}`,
            `database_path: ${database}`,
            `event_log_file: ${log}`,
            "http_addr: 127.0.0.1:0",
            "test_interval: 200ms",
            "peer_refresh_interval: 1s",
            "sampling: { daily_bytes: off }",
            "bandwidth_limit: off",
            "peers:",
            ...peers.map(({ enr }) => `  - ${enr}`)
          ].join("\n")
        )
      )
      const run = Effect.gen(function* () {
        const program = yield* start(["run", "--config", config])
        const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
        return { program, snapshot: Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot)) }
      })
      /** Until every peer is compliant, and so many more probes are over. */
      const goesOn = (snapshot: Effect.Effect.Success<typeof run>["snapshot"], probes: number) =>
        Effect.gen(function* () {
          const before = (yield* snapshot).status.probes.completed
          yield* eventually(
            Effect.map(
              snapshot,
              ({ peers, status }) =>
                status.probes.completed >= before + probes &&
                status.history.state === "recording" &&
                peers.length === peerCount &&
                peers.every(({ connected, verdict }) => connected && verdict === "compliant")
            ),
            "60 seconds",
            "200 millis"
          )
        })

      const first = yield* run
      yield* goesOn(first.snapshot, 20)
      yield* first.program.signal("SIGSTOP")
      // Longer than any limit that a peer has, and than those by which it would give us up.
      yield* Effect.sleep("15 seconds")
      yield* first.program.signal("SIGCONT")
      yield* goesOn(first.snapshot, 20)

      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const other = new Database(database)
          other.exec("BEGIN EXCLUSIVE")
          return other
        }),
        () =>
          eventually(
            Effect.map(first.snapshot, ({ status }) => status.history.state !== "recording"),
            "60 seconds",
            "200 millis"
          ),
        (other) =>
          Effect.sync(() => {
            other.exec("ROLLBACK")
            other.close()
          })
      )
      yield* goesOn(first.snapshot, 20)

      yield* first.program.signal("SIGTERM")
      assert.strictEqual((yield* first.program.exited("15 seconds"))[0], 0, first.program.errors())
      const second = yield* run
      yield* goesOn(second.snapshot, 10)
      yield* second.program.signal("SIGTERM")
      assert.strictEqual((yield* second.program.exited("15 seconds"))[0], 0, second.program.errors())

      const events = readFileSync(log, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((one) => Schema.decodeUnknownSync(LogLine)(one))
      const outcomes = events.flatMap((event) => (event._tag === "Sampling" ? event.probe.outcomes : []))
      assert.isNotEmpty(outcomes)
      const others = outcomes.filter(({ outcome }) => outcome !== "success" && outcome !== "unverifiable")
      assert.deepStrictEqual(others, [])
      const changes = events.flatMap((event) => (event._tag === "NodeTracking" ? [event] : []))
      assert.deepStrictEqual(
        changes.filter(({ change, detail }) => change === "failed" || /unresponsive|refusing|violating/.test(detail)),
        []
      )
      assert.deepStrictEqual(
        events.flatMap((event) => (event._tag === "CustodyUpdate" ? event.findings : [])),
        []
      )
    })
  )
})
