import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "./Network.ts"
import { getJson, start } from "./Program.ts"
import { nodeOf } from "./PublicNetworkNode.ts"

const finished = (
  parameters: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {}
) =>
  Effect.gen(function* () {
    const env = { ...process.env, ...options.env }
    const program = yield* start(parameters, { ...options, env })
    const [code] = yield* program.exited("60 seconds")
    return { code, output: program.output(), errors: program.errors() }
  })

describe("dasmon check-config", () => {
  it.scopedLive("says of flags, variables, the file and defaults which one each value comes from", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const file = join(home, "c.yaml")
      writeFileSync(file, "workers: 2\ntest_interval: 20s\nhttp: {token: tell-nobody}\n")
      const { code, errors, output } = yield* finished(
        ["check-config", "--network", "hoodi", "--sampling-max-slots=3", "--workers", "7"],
        {
          cwd: home,
          env: {
            DASMON_CONFIG: file,
            DASMON_WORKERS: "5",
            DASMON_BEACON_API: "http://me:hunter2@127.0.0.1:5052",
            DASMON_NODE_FILTER_EXCLUDE: "Prysm,Teku",
            DASMON_AGENT: ""
          }
        }
      )
      // The beacon node's own peers, and discv5 by the public nodes of the network, are peers enough.
      assert.deepStrictEqual([code, errors], [0, ""])
      const lines = output.split("\n")
      for (const line of [
        "network: hoodi # --network",
        "workers: 7 # --workers",
        `test_interval: 20s # ${file}:2`,
        "beacon_api: http://me:********@127.0.0.1:5052 # DASMON_BEACON_API",
        "retention: 18d # default",
        `  token: "********" # ${file}:3`,
        "  max_slots: 3 # --sampling-max-slots",
        "  max_columns: 16 # default",
        "  exclude: # DASMON_NODE_FILTER_EXCLUDE"
      ]) {
        assert.include(lines, line)
      }
      assert.match(output, /^# not set: .*\bagent\b.*\bxatu\.address\b/m)
      assert.notMatch(output + errors, /hunter2|tell-nobody/)
    })
  )

  it.scopedLive("tells everything that is wrong with flags, variables and file, and exits with 2", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const file = join(home, "c.yaml")
      writeFileSync(file, "wrokers: 2\n")
      for (const command of ["check-config", "run"]) {
        const { code, errors, output } = yield* finished(
          [command, "--config", file, "--sampling-max-slots", "many", "--confirm-aftr=1m", "--beacon-api"],
          { cwd: home, env: { DASMON_WORKERS: "0", DASMON_NETWROK: "hoodi" } }
        )
        assert.deepStrictEqual([code, output], [2, ""])
        assert.deepStrictEqual(errors.trimEnd().split("\n"), [
          "--confirm-aftr: there is no such flag (did you mean --confirm-after?)",
          "--beacon-api: needs a value (--beacon-api=… takes any text for one)",
          "DASMON_NETWROK: there is no such setting (did you mean DASMON_NETWORK?)",
          `${file}:1: wrokers: unknown key (did you mean workers?)`,
          "DASMON_WORKERS: expected a whole number from 1 to 256, got 0",
          '--sampling-max-slots: expected a whole number from 1 to 128, got "many"'
        ])
      }
    })
  )
})

describe("dasmon run", () => {
  it.scopedLive("needs no file: a beacon node is enough, by a flag or a variable, and without one it says how", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const lacking = yield* finished(["run"], { cwd: home })
      assert.strictEqual(lacking.code, 2)
      assert.match(
        lacking.errors,
        /^beacon_api: is required: .*--beacon-api .*DASMON_BEACON_API.*beacon_api in the file/
      )

      const { url } = yield* nodeOf("hoodi")
      const program = yield* start(["run", "--network", "hoodi", "--http-addr=127.0.0.1:0"], {
        cwd: home,
        env: { ...process.env, DASMON_BEACON_API: url, DASMON_DATABASE_PATH: join(home, "h.db") }
      })
      const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
      assert.include(JSON.stringify(yield* getJson(base, "/status")), '"hoodi"')
      assert.include(program.output(), `history in ${join(home, "h.db")}`)
      yield* program.signal("SIGTERM")
      assert.strictEqual((yield* program.exited("20 seconds"))[0], 0)
    })
  )

  it.scopedLive("refuses a beacon node of another network than the named one", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { url } = yield* nodeOf("hoodi")
      const { code, errors } = yield* finished(["run", "--network=mainnet", "--beacon-api", url], { cwd: home })
      assert.strictEqual(code, 1)
      assert.match(errors, /dasmon: .*it is not of the network mainnet, but of hoodi .*set network to hoodi/)
    })
  )

  it.scopedLive("watches Gnosis, whose preset is another one, once it is named", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { url } = yield* nodeOf("gnosis")
      const unnamed = yield* finished(["run", "--beacon-api", url], { cwd: home })
      assert.strictEqual(unnamed.code, 1)
      assert.match(
        unnamed.errors,
        /its network gnosis is made of the preset gnosis.*name the network: --network gnosis/
      )

      const program = yield* start(["run", "--network", "gnosis", "--beacon-api", url, "--http-addr", "127.0.0.1:0"], {
        cwd: home
      })
      const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
      assert.include(JSON.stringify(yield* getJson(base, "/status")), '"gnosis"')
      assert.match(program.errors(), /SLOT_DURATION_MS 12000 and SECONDS_PER_SLOT 5.*5000 ms are taken/)
      yield* program.signal("SIGTERM")
      assert.strictEqual((yield* program.exited("20 seconds"))[0], 0)
    })
  )
})
