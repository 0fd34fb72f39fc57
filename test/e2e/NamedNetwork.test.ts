import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import { Status } from "../../src/domain/Status.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder } from "./Network.ts"
import { getJson, start } from "./Program.ts"
import { nodeOf } from "./PublicNetworkNode.ts"

/** Nobody listens there. */
const away = `/ip4/127.0.0.1/tcp/1/p2p/${identityOf(98, "away").peerId}`

const finished = (parameters: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const program = yield* start(parameters, { cwd: yield* temporaryFolder, env: { ...process.env, ...env } })
    const [code] = yield* program.exited("90 seconds")
    return { code, output: program.output(), errors: program.errors() }
  })

describe("one node of a named network", () => {
  it.scopedLive("is scanned on Gnosis, whose preset is another one: by a flag, a variable, or the configuration", () =>
    Effect.gen(function* () {
      const { url } = yield* nodeOf("gnosis")
      const config = join(yield* temporaryFolder, "gnosis.yaml")
      writeFileSync(config, `network: gnosis\nbeacon_api: ${url}\n`)
      const ways = yield* Effect.all(
        [
          finished(["scan", "--network", "gnosis", "--beacon-api", url, "--format", "json", away]),
          finished(["scan", "--format", "json", away], { DASMON_NETWORK: "gnosis", DASMON_BEACON_API: url }),
          finished(["scan", "--config", config, "--format", "json", away]),
          // The flag wins over the variable, and that over the file.
          finished(["scan", "--network", "gnosis", "--config", config, "--format", "json", away], {
            DASMON_NETWORK: "hoodi",
            DASMON_BEACON_API: url
          })
        ],
        { concurrency: 2 }
      )
      for (const { code, errors, output } of ways) {
        assert.strictEqual(code, 3, errors)
        assert.include(output, '"network":"gnosis"')
      }
    })
  )

  it.scopedLive("is followed on Gnosis", () =>
    Effect.gen(function* () {
      const { url } = yield* nodeOf("gnosis")
      const program = yield* start(["monitor", "--network=gnosis", "--beacon-api", url, away])
      yield* program.printed(/following \S+ by http:\S+; nothing is kept/, "60 seconds")
      yield* program.printed(/^.*(unreachable|failed).*$/m, "60 seconds")
      yield* program.signal("SIGINT")
      assert.strictEqual((yield* program.exited("20 seconds"))[0], 0, program.errors())
    })
  )

  it.scopedLive("is not asked for by what is wrong on the command line, in a variable, or by a node of another", () =>
    Effect.gen(function* () {
      const { url } = yield* nodeOf("gnosis")
      const other = yield* finished(["scan", "--network", "hoodi", "--beacon-api", url, away])
      assert.strictEqual(other.code, 4)
      assert.match(other.errors, /it is not of the network hoodi, but of gnosis/)
      for (const command of ["scan", "monitor"]) {
        const { code, errors, output } = yield* finished(
          [command, "--network", "gnosys", "--beacon-api", "ftp://a.example", away],
          { DASMON_WORKRES: "1" }
        )
        assert.deepStrictEqual([code, output], [2, ""])
        assert.match(errors, /^DASMON_WORKRES: there is no such setting \(did you mean DASMON_WORKERS\?\)$/m)
        assert.match(errors, /^--network: expected one of .* \(did you mean gnosis\?\)$/m)
        assert.match(errors, /^--beacon-api.*: expected an http or https address/m)
      }
    })
  )
})

describe("a monitor of a named network", () => {
  it.scopedLive("comes up without a beacon node, says so, and goes on with it once it is there", () =>
    Effect.gen(function* () {
      const { port, stop, url } = yield* nodeOf("hoodi")
      yield* stop
      const home = yield* temporaryFolder
      const program = yield* start(
        ["run", "--network=hoodi", `--beacon-api=${url}`, "--http-addr=127.0.0.1:0", "--discovery-discv5=false"],
        { cwd: home }
      )
      const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
      assert.match(program.errors(), /waiting for the beacon node: GET http:\S+: connect ECONNREFUSED/)
      assert.match(program.errors(), /no beacon node answers: dasmon begins with what it knows of hoodi/)
      const state = Effect.flatMap(getJson(base, "/status"), Schema.decodeUnknown(Status))
      const alone = yield* state
      assert.deepStrictEqual(
        [alone.network, alone.beaconNodes.map(({ condition }) => condition)],
        ["hoodi", ["unreachable"]]
      )
      const readiness = Effect.promise((signal) => fetch(`${base}/readyz`, { signal }).then((answer) => answer.text()))
      yield* eventually(
        Effect.filterOrFail(readiness, (text) => text.includes("the beacon node cannot be used (not reached)")),
        "1 minute"
      )

      yield* nodeOf("hoodi", port)
      yield* eventually(
        Effect.filterOrFail(state, ({ beaconNodes: [node] }) => node?.condition === "well" && node.inUse),
        "1 minute"
      )
      yield* program.signal("SIGTERM")
      assert.strictEqual((yield* program.exited("20 seconds"))[0], 0, program.errors())
    })
  )
})
