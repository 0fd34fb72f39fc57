import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { start } from "./Program.ts"

const finished = (...parameters: ReadonlyArray<string>) => finishedIn(process.env, parameters)

const finishedIn = (env: NodeJS.ProcessEnv, parameters: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const program = yield* start(parameters, { env })
    const [code] = yield* program.exited("60 seconds")
    return { code, output: program.output(), errors: program.errors() }
  })

describe("the command line", () => {
  it.scopedLive("has help", () =>
    Effect.gen(function* () {
      const { code, errors, output } = yield* finished("--help")
      assert.deepStrictEqual([code, errors], [0, ""])
      assert.include(output, "verify-evidence")
    })
  )

  it.scopedLive("checks a configuration: what it comes to, what is odd in it, and what is wrong with it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${folder}/good.yaml`, "http_addr: 0.0.0.0:9090\nhttp: {token: tell-nobody}\n")
      const good = yield* finished("check-config", "--config", `${folder}/good.yaml`)
      assert.strictEqual(good.code, 0)
      assert.match(good.output, /^ {2}token: "\*{8}" # \S+good\.yaml:2$/m)
      assert.match(good.output, /^workers: 4 # default$/m)
      assert.notInclude(good.output + good.errors, "tell-nobody")
      assert.match(good.errors, /beacon_api is not set/)
      yield* fs.writeFileString(`${folder}/bad.yaml`, "workers: many\n")
      const bad = yield* finished("check-config", "--config", `${folder}/bad.yaml`)
      assert.strictEqual(bad.code, 2)
      assert.match(bad.errors, /bad\.yaml:1: workers: expected a whole number/)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("refuses a Node that is too old in one line, before it loads what that Node cannot load", () =>
    Effect.gen(function* () {
      // Node 18 does load this; no longer does it load what the program imports.
      const old = `{ ...process.versions, node: "18.20.8" }`
      const pretend = `Object.defineProperty(process, "versions", { value: ${old} }); delete globalThis.File`
      const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(pretend)}`
      const { code, errors, output } = yield* finishedIn({ ...process.env, NODE_OPTIONS }, ["--help"])
      assert.strictEqual(code, 2)
      assert.strictEqual(output, "")
      assert.match(errors, /^dasmon: Node 18\.20\.8 is too old: install Node 24 .*npm ci again\n$/)
    })
  )
})
