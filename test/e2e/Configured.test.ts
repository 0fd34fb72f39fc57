import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { blameOf, outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import { ComplianceRow } from "../../src/domain/report/Question.ts"
import { getJson, start } from "./Program.ts"
import { scaledMs } from "../TimeLimits.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"

const devnet = (peers: string) => startNetwork(`--peers ${peers} --seed 5 --slot-duration 500ms`)

const Report = Schema.Struct({ rows: Schema.Array(ComplianceRow) })

const post = (url: string) =>
  Effect.tryPromise({
    try: async (signal) => (await fetch(url, { method: "POST", signal })).status,
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  })

describe("node dist/main.js run", () => {
  it.scopedLive(
    "watches the network of a configuration through reorgs, and goes on from its history after a kill -9",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryFolder
        const network = yield* devnet("honest:2,withhold:1")
        const file = join(home, "config.yaml")
        writeFileSync(
          file,
          [
            `beacon_api: ${network.beaconApi}`,
            `database_path: ${join(home, "dasmon.db")}`,
            `event_log_file: ${join(home, "events.ndjson")}`,
            "http_addr: 127.0.0.1:0",
            "test_interval: 300ms",
            "confirm_after: 1s",
            "peer_refresh_interval: 1s",
            "metrics: { enabled: true, port: 0 }",
            "peers:",
            ...network.peers.map(({ enr }) => `  - ${enr}`)
          ].join("\n")
        )
        const profile = new Map(network.peers.map((peer) => [peer.peerId, peer.profile]))
        const judged = (base: string) =>
          eventually(
            Effect.map(Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot)), (snapshot) => {
              assert.deepStrictEqual(
                snapshot.peers.map(({ verdict }) => verdict),
                snapshot.peers.map(({ peerId }) => (profile.get(peerId) === "withhold" ? "violating" : "compliant"))
              )
              return snapshot
            }),
            "60 seconds",
            "200 millis"
          )

        const first = yield* start(["run", "--config", file])
        const [, base = ""] = yield* first.printed(/open (http:\S+)/, "60 seconds")
        const before = yield* judged(base)
        assert.isFalse(before.status.simulated)
        for (let depth = 1; depth <= 4; depth++) {
          assert.strictEqual(yield* post(`${network.beaconApi}/devnet/reorg?depth=${depth}`), 200)
          yield* Effect.sleep("1500 millis")
        }
        const [, metrics = ""] = yield* first.printed(/metrics at (http:\S+)/, "10 seconds")
        const text = yield* Effect.promise(async () => (await fetch(metrics)).text())
        assert.match(text, /dasmon_/)
        const { peers } = yield* judged(base)
        for (const { outcomes, peerId } of peers.filter(({ peerId }) => profile.get(peerId) === "honest")) {
          const blamed = outcomeKinds.filter((kind) => blameOf[kind] === "peer" && outcomes[kind] > 0)
          assert.deepStrictEqual(blamed, [], `${peerId} is honest`)
        }

        // What was seen is on disk before the program is killed.
        yield* eventually(
          Effect.map(Effect.flatMap(getJson(base, "/report?by=peer"), Schema.decodeUnknown(Report)), ({ rows }) =>
            peers.every(({ outcomes, peerId }) =>
              rows.some(({ group, outcomes: recorded }) => group === peerId && recorded.success >= outcomes.success)
            )
          )
        )
        yield* first.signal("SIGKILL")
        yield* first.exited("5 seconds")
        const second = yield* start(["run", "--config", file])
        const [, again = ""] = yield* second.printed(/open (http:\S+)/, "60 seconds")
        const after = yield* judged(again)
        for (const { outcomes, peerId } of peers) {
          const known = after.peers.find((peer) => peer.peerId === peerId)
          assert.isAtLeast(known?.outcomes.success ?? 0, outcomes.success)
        }
        yield* second.signal("SIGTERM")
        const [code, ms] = yield* second.exited("10 seconds")
        assert.strictEqual(code, 0, second.errors())
        assert.isBelow(ms, scaledMs("5 seconds"))
        yield* network.program.signal("SIGTERM")
        assert.strictEqual((yield* network.program.exited("10 seconds"))[0], 0)
      })
  )

  it.scopedLive("says every mistake of a configuration in a line of its own, and starts nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const file = join(home, "bad.yaml")
      writeFileSync(file, "workerz: 3\ntest_interval: 10\nsampling:\n  max_slots: 1000\n")
      const program = yield* start(["run", "--config", file], { cwd: home })
      const [code] = yield* program.exited("20 seconds")
      assert.strictEqual(code, 2)
      const lines = program.errors().trim().split("\n")
      assert.strictEqual(lines.length, 3)
      assert.match(program.errors(), /workerz: .*did you mean workers/)
      assert.match(program.errors(), /test_interval: /)
      assert.match(program.errors(), /sampling\.max_slots: .*128/)
      assert.strictEqual(program.output(), "")
    })
  )

  it.scopedLive("says what is wrong with a command line, a file or a beacon node that is not there", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const missing = yield* start(["run", "--config", join(home, "none.yaml")])
      assert.strictEqual((yield* missing.exited("20 seconds"))[0], 2)
      assert.match(missing.errors(), /none\.yaml/)
      const unknown = yield* start(["devnet", "--peers", "honest:2,evil:1"])
      assert.strictEqual((yield* unknown.exited("20 seconds"))[0], 2)
      assert.match(unknown.errors(), /no profile "evil"/)
      const file = join(home, "empty.yaml")
      writeFileSync(file, "")
      const noNode = yield* start(["run", "--config", file])
      assert.strictEqual((yield* noNode.exited("20 seconds"))[0], 2)
      assert.match(noNode.errors(), /beacon_api: is required/)
    })
  )
})
