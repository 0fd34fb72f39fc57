import { assert, describe, it } from "@effect/vitest"
import { fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { proposerDomain } from "../../../src/domain/network/SigningRoot.ts"
import { knownParameters } from "../../../src/host/beacon-api/KnownNetworks.ts"

describe("the domain of proposers", () => {
  it.each([
    ["mainnet", "0x0000000082fae541f8a3db43adb5e7997ac5f562cf682ce6bc41b8ec28ba1a07"],
    ["sepolia", "0x00000000f52c15272cff99835cd05aa522af469210b5b2c8807e372b6b9ca539"],
    ["hoodi", "0x00000000e9730835ed8469ff3cbc6064cb6e858ed44584ee2b21754ea0cd0ab5"]
  ] as const)("of Fulu on %s", (network, domain) => {
    const { forks, genesisValidatorsRoot } = knownParameters(network)
    const version = forks.find(({ name }) => name === "fulu")?.version ?? fromHex("0x")
    assert.strictEqual(toHex(proposerDomain(version, genesisValidatorsRoot)), domain)
  })
})
