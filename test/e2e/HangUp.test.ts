import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { LogLine } from "../../src/events/EventLog.ts"
import { connectEvents } from "../http/Client.ts"
import { start } from "./Program.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"

const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => Schema.decodeUnknownSync(LogLine)(line))

const isPutAside = (name: string): boolean => /ndjson\.\d+$/.test(name)

describe("SIGHUP", () => {
  it.scopedLive("begins a fresh event log without losing an event", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const {
        program: network,
        beaconApi,
        peers
      } = yield* startNetwork("--peers honest:2 --seed 7 --slot-duration 500ms")
      const logs = join(home, "logs")
      const log = join(logs, "events.ndjson")
      const config = join(home, "config.yaml")
      yield* Effect.sync(() => {
        mkdirSync(logs)
        writeFileSync(
          config,
          [
            `beacon_api: ${beaconApi}`,
            `database_path: ${join(home, "dasmon.db")}`,
            "http_addr: 127.0.0.1:0",
            "test_interval: 200ms",
            `event_log_file: ${log}`,
            "event_log_max_size: 16KiB",
            "event_log_keep: 1000",
            "peers:",
            ...peers.map(({ enr }) => `  - ${enr}`)
          ].join("\n")
        )
      })
      const program = yield* start(["run", "--config", config])
      const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
      for (let round = 1; round <= 4; round++) {
        yield* eventually(
          () => readdirSync(logs).flatMap((name) => linesOf(join(logs, name))).length >= 8 * round,
          "60 seconds",
          "100 millis"
        )
        // The program may put it aside at the same moment.
        yield* Effect.eventually(Effect.try(() => renameSync(log, join(logs, `moved-${round}`))))
        yield* program.signal("SIGHUP")
        yield* eventually(() => existsSync(log))
      }
      // The program's own turn: the file has reached its size.
      yield* eventually(() => readdirSync(logs).some(isPutAside), "60 seconds", "100 millis")
      const live = yield* connectEvents(`${base}/events?since=0&types=Sampling`)
      let seen = yield* live.next
      while (seen.message._tag !== "Sampling") seen = yield* live.next
      const logged = seen.message

      yield* program.signal("SIGTERM")
      assert.strictEqual((yield* program.exited("10 seconds"))[0], 0, program.errors())
      const lines = readdirSync(logs).flatMap((name) => linesOf(join(logs, name)))
      const events = lines.flatMap((one) => (one._tag === "Gap" ? [] : [one])).sort((a, b) => a.sequence - b.sequence)
      assert.deepStrictEqual(
        events.map(({ sequence }) => sequence),
        events.map((_, index) => index + 1)
      )
      assert.strictEqual(lines.length, events.length)
      assert.isAbove(events.length, 20)
      // What the stream said is what the log says.
      assert.deepStrictEqual(events[logged.sequence - 1], logged)
      yield* network.signal("SIGTERM")
      assert.strictEqual((yield* network.exited("10 seconds"))[0], 0)
    })
  )
})
