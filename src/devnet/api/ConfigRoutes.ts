import { Effect } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import {
  bytesPerCell,
  type ChainParameters,
  custodyRequirement,
  type Fork,
  maxRequestBlocks,
  maxRequestDataColumnSidecars,
  numberOfColumns,
  numberOfCustodyGroups
} from "../../domain/network/Chain.ts"
import { maxPayloadSize } from "../../wire/Protocol.ts"
import { data, get } from "./Endpoint.ts"

/** `/eth/v1/beacon/genesis` and `/eth/v1/config/*`: what never changes while the network lives. */
export const configRoutes = (parameters: ChainParameters) => [
  get("/eth/v1/beacon/genesis", () =>
    Effect.succeed(
      data({
        genesis_time: String(parameters.genesisTime),
        genesis_validators_root: toHex(parameters.genesisValidatorsRoot),
        genesis_fork_version: versionOf(parameters.forks[0])
      })
    )
  ),
  get("/eth/v1/config/spec", () => Effect.succeed(data(specOf(parameters)))),
  get("/eth/v1/config/fork_schedule", () => Effect.succeed(data(forkSchedule(parameters))))
]

const farFuture = "18446744073709551615"

const specOf = (parameters: ChainParameters): Readonly<Record<string, unknown>> => ({
  CONFIG_NAME: parameters.network,
  PRESET_BASE: "mainnet",
  MIN_GENESIS_TIME: String(parameters.genesisTime),
  GENESIS_DELAY: "0",
  SLOTS_PER_EPOCH: String(parameters.slotsPerEpoch),
  SLOT_DURATION_MS: String(parameters.slotDurationMs),
  // The older key has whole seconds only, and would be untrue of any other duration.
  ...(parameters.slotDurationMs % 1000 === 0 ? { SECONDS_PER_SLOT: String(parameters.slotDurationMs / 1000) } : {}),
  ...Object.fromEntries(parameters.forks.flatMap(forkEntries)),
  MAX_BLOBS_PER_BLOCK: "6",
  MAX_BLOBS_PER_BLOCK_ELECTRA: String(parameters.maxBlobsPerBlockElectra),
  BLOB_SCHEDULE: parameters.blobSchedule.map((entry) => ({
    EPOCH: String(entry.epoch),
    MAX_BLOBS_PER_BLOCK: String(entry.maxBlobsPerBlock)
  })),
  MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS: String(parameters.retentionEpochs),
  MIN_EPOCHS_FOR_BLOB_SIDECARS_REQUESTS: String(parameters.retentionEpochs),
  MIN_EPOCHS_FOR_BLOCK_REQUESTS: String(parameters.retentionEpochs),
  NUMBER_OF_COLUMNS: String(numberOfColumns),
  NUMBER_OF_CUSTODY_GROUPS: String(numberOfCustodyGroups),
  DATA_COLUMN_SIDECAR_SUBNET_COUNT: String(numberOfColumns),
  CUSTODY_REQUIREMENT: String(custodyRequirement),
  VALIDATOR_CUSTODY_REQUIREMENT: "8",
  SAMPLES_PER_SLOT: "8",
  FIELD_ELEMENTS_PER_CELL: String(bytesPerCell / 32),
  FIELD_ELEMENTS_PER_BLOB: "4096",
  MAX_REQUEST_BLOCKS_DENEB: String(maxRequestBlocks),
  MAX_REQUEST_DATA_COLUMN_SIDECARS: String(maxRequestDataColumnSidecars),
  MAX_PAYLOAD_SIZE: String(maxPayloadSize),
  ATTESTATION_SUBNET_COUNT: "64",
  SYNC_COMMITTEE_SUBNET_COUNT: "4"
})

const forkEntries = (fork: Fork): ReadonlyArray<readonly [string, string]> =>
  fork.name === "phase0"
    ? [["GENESIS_FORK_VERSION", toHex(fork.version)]]
    : [
        [`${fork.name.toUpperCase()}_FORK_VERSION`, toHex(fork.version)],
        [`${fork.name.toUpperCase()}_FORK_EPOCH`, Number.isFinite(fork.epoch) ? String(fork.epoch) : farFuture]
      ]

const forkSchedule = (parameters: ChainParameters): ReadonlyArray<Readonly<Record<string, string>>> =>
  parameters.forks
    .filter((fork) => Number.isFinite(fork.epoch))
    .map((fork, index, forks) => ({
      previous_version: versionOf(forks[Math.max(index - 1, 0)]),
      current_version: toHex(fork.version),
      epoch: String(fork.epoch)
    }))

const versionOf = (fork: Fork | undefined): string => toHex(fork?.version ?? new Uint8Array(4))
