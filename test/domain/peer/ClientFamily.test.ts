import { assert, describe, it } from "@effect/vitest"
import { clientFamily } from "../../../src/domain/peer/ClientFamily.ts"

describe("the client of a peer", () => {
  it.each([
    ["Lighthouse/v8.0.1-ced49dd/x86_64-linux", "lighthouse"],
    ["Prysm/v7.0.0/0b6ea5b6", "prysm"],
    ["teku/v25.11.0/linux-x86_64/-eclipseadoptium-openjdk64bitservervm-java-21", "teku"],
    ["nimbus", "nimbus"],
    ["lodestar/v1.36.0/3b0a2ed", "lodestar"],
    ["Grandine/2.0.0-2e1c9f7/x86_64-linux", "grandine"],
    ["erigon/caplin", "caplin"],
    ["erigon/caplin/3.3.0", "caplin"],
    ["erigon/shutter/3.3.0", "other"],
    ["rust-libp2p/0.53", "other"],
    ["", "unknown"],
    [null, "unknown"]
  ] as const)("that calls itself %s", (agent, family) => {
    assert.strictEqual(clientFamily(agent), family)
  })
})
