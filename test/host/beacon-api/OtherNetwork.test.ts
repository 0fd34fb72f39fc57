import { assert, describe, it } from "@effect/vitest"
import { genesisData } from "@lodestar/config/networks"
import { Effect, Layer } from "effect"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { Doubts } from "../../../src/runtime/Doubts.ts"
import { fakeNode, json } from "./FakeNode.ts"

const sepolia = {
  data: {
    genesis_time: String(genesisData.sepolia.genesisTime),
    genesis_validators_root: genesisData.sepolia.genesisValidatorsRoot,
    genesis_fork_version: "0x90000069"
  }
}

const node = fakeNode({
  handle: (path, _, response) => {
    if (path === "/eth/v1/beacon/genesis") json(response, sepolia)
    else if (path === "/eth/v1/config/spec") json(response, { data: { CONFIG_NAME: "sepolia" } })
    else return false
    return true
  }
})

describe("a beacon node", () => {
  it.scopedLive("of another network than the named one is refused at once, and one of it is taken", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* node
      const opened = (network: "mainnet" | "sepolia") =>
        Effect.scoped(Effect.map(Layer.build(BeaconApi.layer({ url, network })), () => "taken")).pipe(
          Effect.provide([Daemons.layer, Doubts.layer]),
          Effect.catchAll(({ message }) => Effect.succeed(message))
        )
      const refusal = yield* opened("mainnet")
      assert.match(
        refusal,
        /\/eth\/v1\/beacon\/genesis: it is not of the network mainnet, but of sepolia .* set network to sepolia$/
      )
      assert.deepStrictEqual(asked, ["/eth/v1/beacon/genesis"])
      assert.strictEqual(yield* opened("sepolia"), "taken")
    })
  )
})
