import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { scaledMs } from "../TimeLimits.ts"

const script = fileURLToPath(new URL("./Loaded.mjs", import.meta.url))

/** Paths of the modules that are loaded with a package of ours. */
const loadedWith = (name: string): Effect.Effect<ReadonlyArray<string>, Error> =>
  Effect.async((resume, signal) => {
    execFile(
      process.execPath,
      [script, name],
      { timeout: scaledMs("60 seconds"), maxBuffer: 2 ** 24, signal },
      (error, stdout) => resume(error === null ? Effect.succeed(stdout.split("\n")) : Effect.fail(error))
    )
  })

/** What each of the packages is there for, and the others can do without. */
const burdens = {
  grpc: /node_modules\/@grpc\/grpc-js\//,
  protobuf: /node_modules\/protobufjs\//,
  transport: /node_modules\/(libp2p|@libp2p\/(tcp|noise|yamux|mplex|identify))\//,
  snappy: /node_modules\/snappy\//,
  kzg: /node_modules\/c-kzg\/|kzg\.node$/,
  devnet: /\/dist\/devnet\//,
  http: /\/dist\/http\//,
  xatu: /\/dist\/xatu\//,
  engine: /\/dist\/Dasmon\.js$/
}

const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["dasmon", ["engine"]],
  ["dasmon/http", ["engine", "http"]],
  ["dasmon/xatu", ["engine", "grpc", "protobuf", "xatu"]],
  ["dasmon/host", ["snappy", "transport"]],
  ["dasmon/devnet", ["devnet", "kzg", "snappy", "transport"]]
]

describe("a host that imports a package", () => {
  it.live.each(cases)("%s loads what it is for, and none of the others", ([name, expected]) =>
    Effect.gen(function* () {
      const paths = yield* loadedWith(name)
      const found = Object.entries(burdens).flatMap(([burden, pattern]) =>
        paths.some((path) => pattern.test(path)) ? [burden] : []
      )
      assert.deepStrictEqual(found.sort(), expected)
    })
  )
})
