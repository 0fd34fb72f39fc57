import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { warningsOf } from "../../src/cli/CheckConfig.ts"
import type { ConfigInput } from "../../src/config/Config.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { publicNodes } from "../../src/config/places/PublicNodes.ts"

const [record = ""] = publicNodes.hoodi.enrs
const beaconApi = "http://127.0.0.1:5052"
const warnings = (input: ConfigInput) => Effect.map(makeConfig(input), warningsOf)

describe("what check-config warns of", () => {
  it.effect("that nobody says which peers there are, and of that only", () =>
    Effect.gen(function* () {
      const none = { beaconApi, discovery: { beaconPeers: false } }
      for (const input of [
        { beaconApi },
        { ...none, network: "hoodi" },
        { ...none, bootnodes: [record] },
        { ...none, peers: [record] },
        { ...none, discovery: { beaconPeers: false, enrFile: "peers.txt" } }
      ] satisfies ReadonlyArray<ConfigInput>) {
        assert.deepStrictEqual(yield* warnings(input), [])
      }
      for (const input of [
        none,
        { ...none, network: "hoodi", discovery: { beaconPeers: false, discv5: false } }
      ] satisfies ReadonlyArray<ConfigInput>) {
        const [only = "", ...more] = yield* warnings(input)
        assert.match(only, /^no source of peers is on .*: only those that connect to this node/)
        assert.deepStrictEqual(more, [])
      }
    })
  )

  it.effect("what run cannot do without, and what is open to the network", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* warnings({}), ["beacon_api is not set: `dasmon run` needs it"])
      assert.deepStrictEqual(yield* warnings({ beaconApi, httpAddr: "0.0.0.0:9090" }), [
        "http_addr is open to the network (0.0.0.0), and http.token is not set"
      ])
    })
  )
})
