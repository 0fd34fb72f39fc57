import { assert, describe, it } from "@effect/vitest"
import { createBeaconConfig } from "@lodestar/config"
import { genesisData, networksChainConfig } from "@lodestar/config/networks"
import { Either, Option, Schema } from "effect"
import { publicNodes } from "../../../src/config/places/PublicNodes.ts"
import { toHex } from "../../../src/domain/Bytes.ts"
import { forkEpoch } from "../../../src/domain/network/Chain.ts"
import { digestTable } from "../../../src/domain/network/ForkDigest.ts"
import { networkNames } from "../../../src/domain/network/NetworkName.ts"
import { decodeNodeRecord } from "../../../src/domain/peer/NodeRecord.ts"
import { GenesisResponse } from "../../../src/host/beacon-api/BeaconSpec.ts"
import { knownParameters, networkOfGenesis, otherNetwork } from "../../../src/host/beacon-api/KnownNetworks.ts"

const genesisOf = (root: string) =>
  Schema.decodeUnknownSync(GenesisResponse)({
    data: { genesis_time: "1", genesis_validators_root: root, genesis_fork_version: "0x00000000" }
  })

describe("knownParameters", () => {
  it.each(networkNames)("gives %s the digests that Lodestar computes for every step", (network) => {
    const chain = knownParameters(network)
    // It makes no configuration but of its own preset, which no digest depends on.
    const { PRESET_BASE } = networksChainConfig.mainnet
    const theirs = createBeaconConfig({ ...networksChainConfig[network], PRESET_BASE }, chain.genesisValidatorsRoot)
    const entries = [...digestTable(chain).values()]
    assert.isAtLeast(entries.length, 5)
    for (const { digest, firstEpoch } of entries) {
      assert.strictEqual(toHex(theirs.forkBoundary2ForkDigest(theirs.getForkBoundaryAtEpoch(firstEpoch))), digest)
    }
    assert.strictEqual(chain.network, network)
    assert.strictEqual(chain.genesisTime, genesisData[network].genesisTime)
    assert.isTrue(Number.isFinite(forkEpoch(chain, "fulu")))
  })

  it.each(networkNames)("gives %s a digest that its public nodes have in their records", (network) => {
    const table = digestTable(knownParameters(network))
    const told = publicNodes[network].enrs.flatMap((text) =>
      Option.toArray(Option.flatMap(Either.getRight(decodeNodeRecord(text)), ({ forkDigest }) => forkDigest))
    )
    assert.isTrue(told.some((digest) => table.has(digest)))
  })

  it("has the times of Gnosis, whose preset is another one", () => {
    for (const network of ["gnosis", "chiado"] as const) {
      const { retentionEpochs, slotDurationMs, slotsPerEpoch } = knownParameters(network)
      assert.deepStrictEqual([slotDurationMs, slotsPerEpoch, retentionEpochs], [5_000, 16, 16_384])
    }
    const { retentionEpochs, slotDurationMs, slotsPerEpoch } = knownParameters("mainnet")
    assert.deepStrictEqual([slotDurationMs, slotsPerEpoch, retentionEpochs], [12_000, 32, 4_096])
  })
})

describe("otherNetwork", () => {
  it("is content with the wanted one, and else says which one it is and what to do", () => {
    const hoodi = genesisOf(genesisData.hoodi.genesisValidatorsRoot)
    assert.deepStrictEqual(networkOfGenesis(hoodi), Option.some("hoodi"))
    assert.deepStrictEqual(otherNetwork(hoodi, "hoodi"), Option.none())
    assert.deepStrictEqual(
      otherNetwork(hoodi, "mainnet"),
      Option.some(
        "it is not of the network mainnet, but of hoodi (genesis_validators_root 0x212f13fc4df0…): " +
          "name a beacon node of mainnet, or set network to hoodi"
      )
    )
    const text = Option.getOrElse(otherNetwork(genesisOf(`0x${"17".repeat(32)}`), "mainnet"), () => "")
    assert.match(text, /but of one that is not known by name \(.*0x171717171717…\): .*, or leave out network$/)
    const more = Option.getOrElse(
      otherNetwork(genesisOf(genesisData.plataberget.genesisValidatorsRoot), "mainnet"),
      () => ""
    )
    assert.match(more, /but of plataberget \(.*, or leave out network$/)
  })
})
