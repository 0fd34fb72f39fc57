import { genesisData, networksChainConfig } from "@lodestar/config/networks"
import { fakeNode, json } from "../host/beacon-api/FakeNode.ts"

/** A beacon node of a public network that says little more than which one it is, and that its head is genesis. */
export const nodeOf = (network: "gnosis" | "hoodi", port = 0) => {
  const { genesisTime, genesisValidatorsRoot } = genesisData[network]
  const { BLOB_SCHEDULE, CONFIG_NAME, PRESET_BASE } = networksChainConfig[network]
  const answers: Readonly<Record<string, unknown>> = {
    "/eth/v1/beacon/genesis": {
      genesis_time: String(genesisTime),
      genesis_validators_root: genesisValidatorsRoot,
      genesis_fork_version: "0x00000000"
    },
    // Of ChainSafe/lodestar#8512: a node of Gnosis with mainnet's duration beside its own.
    "/eth/v1/config/spec": {
      CONFIG_NAME,
      PRESET_BASE,
      ...(network === "gnosis" ? { SLOT_DURATION_MS: "12000", SECONDS_PER_SLOT: "5" } : {}),
      BLOB_SCHEDULE: BLOB_SCHEDULE.map(({ EPOCH, MAX_BLOBS_PER_BLOCK }) => ({
        EPOCH: String(EPOCH),
        MAX_BLOBS_PER_BLOCK: String(MAX_BLOBS_PER_BLOCK)
      }))
    },
    "/eth/v1/node/syncing": { head_slot: "0", sync_distance: "0", is_syncing: false },
    "/eth/v1/beacon/headers/head": {
      header: {
        message: { slot: "0", proposer_index: "0", parent_root: zeroRoot, state_root: zeroRoot, body_root: zeroRoot }
      }
    }
  }
  return fakeNode({
    port,
    handle: (path, _, response) => {
      const data = answers[path]
      if (data !== undefined) json(response, { data })
      return data !== undefined
    }
  })
}

const zeroRoot = `0x${"00".repeat(32)}`
