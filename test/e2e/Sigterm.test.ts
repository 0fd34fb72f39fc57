import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { DevnetAnnouncement } from "../../src/devnet/RunDevnet.ts"
import { LogLine } from "../../src/events/EventLog.ts"
import { rows } from "../history/store/Fixture.ts"
import { start } from "./Program.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"
import { scaledMs } from "../TimeLimits.ts"

/** A server that takes connections and never answers. */
const silentServer = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly close: () => void; readonly taken: () => number }>((resume) => {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => socket.destroy())
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const close = () => {
        for (const socket of sockets) socket.destroy()
        server.close()
      }
      resume(Effect.succeed({ port, close, taken: () => sockets.size }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** A client of the stream that reads nothing of it. */
const deafClient = (base: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { host, hostname, port } = new URL(base)
      const socket = Net.connect(Number(port), hostname)
      socket.on("error", () => undefined)
      socket.pause()
      socket.write(`GET /events?since=0 HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const network = startNetwork("--peers honest:3,corrupt-cell:2 --seed 5 --slot-duration 1s")

const watch = Effect.fnUntraced(function* (
  { beaconApi, peers }: DevnetAnnouncement,
  home: string,
  more: ReadonlyArray<string> = []
) {
  const config = join(home, "config.yaml")
  writeFileSync(
    config,
    [
      `beacon_api: ${beaconApi}`,
      `database_path: ${join(home, "dasmon.db")}`,
      "http_addr: 127.0.0.1:0",
      "test_interval: 200ms",
      "confirm_after: 1s",
      `event_log_file: ${join(home, "events.ndjson")}`,
      ...more,
      "peers:",
      ...peers.map(({ enr }) => `  - ${enr}`)
    ].join("\n")
  )
  const program = yield* start(["run", "--config", config])
  const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
  return { base, program }
})

describe("SIGTERM", () => {
  it.scopedLive("ends the program in time, with nothing half recorded, whoever does not answer or read", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const xatu = yield* silentServer
      const { base, program } = yield* watch(yield* network, home, [
        `xatu: {address: "127.0.0.1:${xatu.port}", flush_interval: 100ms}`
      ])
      yield* Effect.replicateEffect(deafClient(base), 20)
      const evidence = join(home, "dasmon.db.evidence")
      yield* eventually(() => xatu.taken() > 0, "30 seconds", "100 millis")
      yield* eventually(
        Effect.sync(() => readdirSync(evidence).length > 2),
        "60 seconds",
        "100 millis"
      )
      yield* program.signal("SIGTERM")
      const [code, ms] = yield* program.exited("20 seconds")
      assert.strictEqual(code, 0, program.errors())
      assert.isBelow(ms, scaledMs("10 seconds"))
      assert.notMatch(program.errors(), /not everything has stopped|defect|bug/)

      const text = readFileSync(join(home, "events.ndjson"), "utf8")
      assert.match(text, /\n$/)
      const told = text
        .split("\n")
        .slice(0, -1)
        .map((one) => Schema.decodeUnknownSync(LogLine)(one))
        .flatMap((event) => (event._tag === "Sampling" ? [event.probe.id] : []))
      const database = join(home, "dasmon.db")
      assert.deepStrictEqual(yield* rows(database, "SELECT * FROM pragma_integrity_check"), [{ integrity_check: "ok" }])
      const kept = yield* Effect.flatMap(
        rows(database, "SELECT uuid FROM probes"),
        Schema.decodeUnknown(Schema.Array(Schema.Struct({ uuid: Schema.String })))
      )
      assert.sameMembers(
        kept.map(({ uuid }) => uuid),
        told
      )
      assert.isEmpty(readdirSync(evidence).filter((name) => name.endsWith(".tmp")))
    })
  )

  it.scopedLive("ends it also while the disk hangs, and at once when it comes a second time", () =>
    Effect.gen(function* () {
      const announced = yield* network
      const hang = Effect.gen(function* () {
        const home = yield* temporaryFolder
        const log = join(home, "events.ndjson")
        const { program } = yield* watch(announced, home)
        // To open it waits until someone reads, which nobody does.
        yield* eventually(() => readFileSync(log, "utf8").length > 0, "30 seconds")
        // In one step, or the program has made a file there meanwhile.
        execFileSync("mkfifo", [`${log}.fifo`])
        renameSync(`${log}.fifo`, log)
        yield* eventually(
          Effect.sync(() => /still trying/.test(program.errors())),
          "30 seconds",
          "100 millis"
        )
        yield* program.signal("SIGTERM")
        return program
      })
      const alone = yield* hang
      const [, ms] = yield* alone.exited("15 seconds")
      assert.isBelow(ms, scaledMs("10 seconds"))
      assert.match(alone.errors(), /the disk does not answer/)

      const twice = yield* hang
      yield* Effect.sleep("200 millis")
      yield* twice.signal("SIGTERM")
      assert.strictEqual((yield* twice.exited("5 seconds"))[0], null)
      assert.notMatch(twice.errors(), /the disk does not answer/)
    })
  )
})
