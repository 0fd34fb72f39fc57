import { assert, describe, it } from "@effect/vitest"
import { genesisData, networksChainConfig } from "@lodestar/config/networks"
import { Either, Schema } from "effect"
import { toHex } from "../../../src/domain/Bytes.ts"
import { blobParametersAt, forkAt, forkEpoch } from "../../../src/domain/network/Chain.ts"
import { forkDigestAt } from "../../../src/domain/network/ForkDigest.ts"
import { chainParameters, GenesisResponse, SpecResponse } from "../../../src/host/beacon-api/BeaconSpec.ts"

const genesis = Schema.decodeUnknownSync(GenesisResponse)({
  data: {
    genesis_time: "1606824023",
    genesis_validators_root: genesisData.mainnet.genesisValidatorsRoot,
    genesis_fork_version: "0x00000000"
  }
})
const read = (spec: Readonly<Record<string, unknown>>) =>
  chainParameters(genesis, Schema.decodeUnknownSync(SpecResponse)({ data: spec }))
const parameters = (spec: Readonly<Record<string, unknown>>) => Either.getOrThrow(read(spec))

describe("chainParameters", () => {
  it("takes what a node leaves out from the known network of that name", () => {
    const chain = parameters({ CONFIG_NAME: "mainnet" })
    assert.strictEqual(chain.slotDurationMs, 12_000)
    assert.strictEqual(chain.slotsPerEpoch, 32)
    assert.strictEqual(chain.retentionEpochs, 4096)
    assert.strictEqual(forkEpoch(chain, "fulu"), 411_392)
    assert.strictEqual(forkEpoch(chain, "gloas"), Infinity)
    // Published digests of mainnet's Fulu and its two blob steps.
    assert.deepStrictEqual(
      [411_392, 412_672, 419_072].map((epoch) => toHex(forkDigestAt(chain, epoch))),
      ["0xcc2c5cdb", "0xcb0d1acc", "0x8c9f62fe"]
    )
    const hoodi = parameters({ CONFIG_NAME: "hoodi" })
    assert.strictEqual(forkEpoch(hoodi, "fulu"), networksChainConfig.hoodi.FULU_FORK_EPOCH)
  })

  it("does not schedule forks and blob steps on an unknown network that does not name them", () => {
    const chain = parameters({ CONFIG_NAME: "my-devnet", ELECTRA_FORK_EPOCH: "0", FULU_FORK_EPOCH: "3" })
    assert.strictEqual(chain.network, "my-devnet")
    assert.strictEqual(forkEpoch(chain, "altair"), Infinity)
    assert.strictEqual(forkAt(chain, 4).name, "fulu")
    assert.deepStrictEqual(chain.blobSchedule, [])
    assert.deepStrictEqual(blobParametersAt(chain, 4), { epoch: 0, maxBlobsPerBlock: 9 })
  })

  it("reads either slot key, far-future epochs, numbers as text or not, and a schedule in any order", () => {
    assert.strictEqual(parameters({ SECONDS_PER_SLOT: "5" }).slotDurationMs, 5000)
    assert.strictEqual(parameters({ SECONDS_PER_SLOT: "5", SLOT_DURATION_MS: 2500 }).slotDurationMs, 2500)
    const chain = parameters({
      FULU_FORK_EPOCH: "10",
      GLOAS_FORK_EPOCH: "18446744073709551615",
      SOMETHING_ELSE: ["0x"],
      BLOB_SCHEDULE: [
        { EPOCH: "18446744073709551615", MAX_BLOBS_PER_BLOCK: "99" },
        { EPOCH: "30", MAX_BLOBS_PER_BLOCK: "21" },
        { EPOCH: 20, MAX_BLOBS_PER_BLOCK: 15 }
      ]
    })
    assert.strictEqual(forkEpoch(chain, "gloas"), Infinity)
    assert.deepStrictEqual(
      chain.blobSchedule.map(({ epoch }) => epoch),
      [20, 30, Infinity]
    )
    assert.deepStrictEqual(
      [19, 20, 29, 30, 1e9].map((epoch) => blobParametersAt(chain, epoch).maxBlobsPerBlock),
      [9, 15, 15, 21, 21]
    )
    assert.deepStrictEqual(parameters({ BLOB_SCHEDULE: [] }).blobSchedule, [])
  })

  it("knows the preset of a network by its name where the node leaves it out", () => {
    for (const spec of [{ CONFIG_NAME: "gnosis" }, { CONFIG_NAME: "gnosis", PRESET_BASE: "gnosis" }]) {
      const chain = Either.getOrThrow(
        chainParameters(genesis, Schema.decodeUnknownSync(SpecResponse)({ data: spec }), "gnosis")
      )
      assert.deepStrictEqual([chain.slotsPerEpoch, chain.slotDurationMs], [16, 5_000])
    }
  })

  it("says what to do about another preset, and refuses what cannot be", () => {
    const refusal = (spec: Readonly<Record<string, unknown>>) => Either.getOrElse(Either.flip(read(spec)), String)
    assert.include(refusal({ PRESET_BASE: "minimal" }), "with LODESTAR_PRESET=minimal in its environment")
    assert.match(
      refusal({ PRESET_BASE: "huge", CONFIG_NAME: "ours" }),
      /ours is made of the preset huge,.*cannot watch/
    )
    for (const spec of [{ CONFIG_NAME: "gnosis" }, { CONFIG_NAME: "chiado", PRESET_BASE: "gnosis" }]) {
      assert.include(
        refusal(spec),
        `its network ${spec.CONFIG_NAME} is made of the preset gnosis, and this program runs with mainnet: ` +
          `name the network: --network ${spec.CONFIG_NAME}, or network: ${spec.CONFIG_NAME} in the configuration`
      )
    }
    assert.isTrue(Either.isLeft(read({ SLOT_DURATION_MS: "0" })))
    for (const wrong of [{ FULU_FORK_EPOCH: "soon" }, { FULU_FORK_VERSION: "0x1" }, { BLOB_SCHEDULE: "none" }]) {
      assert.throws(() => read(wrong))
    }
  })
})
