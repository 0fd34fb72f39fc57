import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { readFlags } from "../../../src/config/settings/Flags.ts"
import { loadSettings } from "../../../src/config/settings/LoadSettings.ts"
import { readVariables } from "../../../src/config/settings/Variables.ts"

const load = (text: string | undefined, variables: Readonly<Record<string, string>>, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const file = text === undefined ? undefined : `${folder}/c.yaml`
    if (file !== undefined) yield* fs.writeFileString(file, text ?? "")
    const given = [...readVariables(variables).given, ...readFlags(flags, []).given]
    return yield* loadSettings({ file, given }).pipe(
      Effect.map((loaded) => ({
        ...loaded,
        sourceOf: (path: string) => loaded.sourceOf(path.split(".")).replace(`${folder}/`, "")
      })),
      Effect.mapError(({ lines }) => lines.map((line) => line.replace(`${folder}/`, ""))),
      Effect.either
    )
  }).pipe(Effect.provide(NodeContext.layer))

const loaded = (...parameters: Parameters<typeof load>) => Effect.map(load(...parameters), Either.getOrThrow)
const refused = (...parameters: Parameters<typeof load>) =>
  Effect.map(load(...parameters), (result) => (Either.isLeft(result) ? result.left : []))

describe("loadSettings", () => {
  it.scoped("takes a flag before a variable, that before the file, and that before the default", () =>
    Effect.gen(function* () {
      const file = "workers: 2\nevent_log_keep: 2\nsampling:\n  max_slots: 2\n  max_columns: 2\nidentities: 2\n"
      const variables = { DASMON_WORKERS: "3", DASMON_EVENT_LOG_KEEP: "3", DASMON_SAMPLING_MAX_SLOTS: "3" }
      const { config, sourceOf } = yield* loaded(file, variables, "--workers=4", "--sampling-max-slots=4")
      const { eventLogKeep, identities, sampling, workers } = config
      assert.deepStrictEqual(
        [workers, sampling.maxSlots, eventLogKeep, sampling.maxColumns, identities, sampling.slotBias],
        [4, 4, 3, 2, 2, "uniform"]
      )
      assert.deepStrictEqual(
        [
          "workers",
          "sampling.max_slots",
          "event_log_keep",
          "sampling.max_columns",
          "identities",
          "sampling.slot_bias",
          "beacon_api"
        ].map(sourceOf),
        ["--workers", "--sampling-max-slots", "DASMON_EVENT_LOG_KEEP", "c.yaml:5", "c.yaml:6", "default", "default"]
      )
    })
  )

  it.scoped("needs no file, and minds no wrong value that is overruled", () =>
    Effect.gen(function* () {
      const alone = yield* loaded(undefined, { DASMON_BEACON_API: "http://127.0.0.1:5052/" }, "--network", "gnosis")
      assert.deepStrictEqual(alone.config.beaconApi, ["http://127.0.0.1:5052"])
      assert.strictEqual(alone.config.network, "gnosis")
      const { config } = yield* loaded("workers: many\n", { DASMON_WORKERS: "more" }, "--workers", "2")
      assert.strictEqual(config.workers, 2)
    })
  )

  it.scoped("says what is wrong where it was given, and what is allowed", () =>
    Effect.gen(function* () {
      const lines = yield* refused(
        "workers: 0\nidentities: 2\nidentities: 2\nwat: 1\n",
        { DASMON_SAMPLING_MAX_SLOTS: "many", DASMON_METRICS_ENABLED: "yes", DASMON_HTTP_TOKEN: "short" },
        "--network=mainet",
        "--peers=enr:-abc",
        "--identities=3"
      )
      assert.deepStrictEqual(lines.slice(0, 3), [
        "c.yaml:1: workers: expected a whole number from 1 to 256, got 0",
        "c.yaml:3: identities: this key is given more than once",
        lines.find((line) => line.startsWith("c.yaml:4: wat: unknown key"))
      ])
      assert.sameMembers(
        lines.slice(3).map((line) => line.replace(/(not a valid ENR).*/, "$1")),
        [
          'DASMON_SAMPLING_MAX_SLOTS: expected a whole number from 1 to 128, got "many"',
          'DASMON_METRICS_ENABLED: expected true or false, got "yes"',
          "DASMON_HTTP_TOKEN: expected a token of 8 to 256 ASCII characters, without spaces",
          '--network: expected one of mainnet, sepolia, hoodi, gnosis, chiado, got "mainet" (did you mean mainnet?)',
          "--peers: not a valid ENR",
          "--identities: expected a whole number from 1 to 2, got 3"
        ]
      )
    })
  )

  it.scoped("tells of what does not fit together, and of what is lacking, at what was given", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refused(undefined, {}, "--xatu-batch-size", "7"), [
        "--xatu-batch-size: xatu.address: is required: the Xatu server, such as xatu.example.org:8080 or " +
          "https://xatu.example.org"
      ])
      assert.deepStrictEqual(
        yield* refused("http_addr: 127.0.0.1:9090\n", { DASMON_BEACON_API: "http://127.0.0.1:9090" }),
        ["DASMON_BEACON_API: this is where dasmon itself listens (http_addr): name the beacon node's own address"]
      )
      const [conflict = ""] = yield* refused(undefined, {}, "--event-log-file", "dasmon.db")
      assert.match(conflict, /^--event-log-file: "dasmon\.db" is the database \(database_path\)/)
    })
  )
})
