import { networksChainConfig } from "@lodestar/config/networks"
import { ACTIVE_PRESET } from "@lodestar/params"
import { Either, Schema } from "effect"
import { fromHex, hexOf, RootFromHex } from "../../domain/Bytes.ts"
import { networkNames, presetOf } from "../../domain/network/NetworkName.ts"
import { printable } from "../../domain/Text.ts"
import { type ChainParameters, type Fork, type ForkName, forkNames } from "../../domain/network/Chain.ts"

/** A uint64: decimal text (or a number, which some nodes write); beyond 2^53-1 it is `Infinity`, "never". */
export const Uint64 = Schema.transform(
  Schema.Union(
    Schema.String.pipe(Schema.pattern(/^\d{1,20}$/, { message: () => "expected a decimal number" })),
    Schema.NonNegativeInt
  ),
  Schema.Number,
  {
    strict: true,
    decode: (value) => (Number(value) > Number.MAX_SAFE_INTEGER ? Infinity : Number(value)),
    encode: (value) => String(value)
  }
)

/** A uint64 that can be computed with: a slot, an epoch that came. */
export const SafeUint64 = Uint64.pipe(
  Schema.filter((value) => Number.isSafeInteger(value) || "expected a number below 2^53")
)

/** GET /eth/v1/beacon/genesis. */
export const GenesisResponse = Schema.Struct({
  data: Schema.Struct({
    genesis_time: SafeUint64,
    genesis_validators_root: RootFromHex,
    genesis_fork_version: hexOf(4)
  })
})

/** GET /eth/v1/config/spec, as far as it is read. Nodes leave out what they do not know. */
const Spec = Schema.Struct({
  CONFIG_NAME: Schema.optional(Schema.String),
  PRESET_BASE: Schema.optional(Schema.String),
  SECONDS_PER_SLOT: Schema.optional(SafeUint64),
  SLOT_DURATION_MS: Schema.optional(SafeUint64),
  SLOTS_PER_EPOCH: Schema.optional(SafeUint64),
  MAX_BLOBS_PER_BLOCK_ELECTRA: Schema.optional(SafeUint64),
  MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS: Schema.optional(SafeUint64),
  BLOB_SCHEDULE: Schema.optional(Schema.Array(Schema.Struct({ EPOCH: Uint64, MAX_BLOBS_PER_BLOCK: SafeUint64 }))),
  ALTAIR_FORK_VERSION: Schema.optional(hexOf(4)),
  BELLATRIX_FORK_VERSION: Schema.optional(hexOf(4)),
  CAPELLA_FORK_VERSION: Schema.optional(hexOf(4)),
  DENEB_FORK_VERSION: Schema.optional(hexOf(4)),
  ELECTRA_FORK_VERSION: Schema.optional(hexOf(4)),
  FULU_FORK_VERSION: Schema.optional(hexOf(4)),
  GLOAS_FORK_VERSION: Schema.optional(hexOf(4)),
  ALTAIR_FORK_EPOCH: Schema.optional(Uint64),
  BELLATRIX_FORK_EPOCH: Schema.optional(Uint64),
  CAPELLA_FORK_EPOCH: Schema.optional(Uint64),
  DENEB_FORK_EPOCH: Schema.optional(Uint64),
  ELECTRA_FORK_EPOCH: Schema.optional(Uint64),
  FULU_FORK_EPOCH: Schema.optional(Uint64),
  GLOAS_FORK_EPOCH: Schema.optional(Uint64)
})
type Spec = typeof Spec.Type

export const SpecResponse = Schema.Struct({ data: Spec })

/**
 * The network's parameters. What the node does not say is taken from the known network of that name; of an unknown
 * network, a fork without an epoch is not scheduled, and all other numbers are mainnet's. The network must be of the
 * preset that the types of blocks were made with.
 */
export const chainParameters = (
  genesis: typeof GenesisResponse.Type,
  { data: spec }: typeof SpecResponse.Type,
  activePreset: string = ACTIVE_PRESET
): Either.Either<ChainParameters, string> => {
  const known = Object.values(networksChainConfig).find((config) => config.CONFIG_NAME === spec.CONFIG_NAME)
  const preset = spec.PRESET_BASE ?? known?.PRESET_BASE ?? "mainnet"
  if (preset !== activePreset) return Either.left(wrongPreset(preset, activePreset, spec.CONFIG_NAME))
  const defaults = known ?? networksChainConfig.mainnet
  const epoch = (name: Exclude<ForkName, "phase0">): number =>
    spec[`${upper(name)}_FORK_EPOCH`] ?? known?.[`${upper(name)}_FORK_EPOCH`] ?? Infinity
  const version = (name: Exclude<ForkName, "phase0">): Uint8Array => {
    const said = spec[`${upper(name)}_FORK_VERSION`]
    return said === undefined ? defaults[`${upper(name)}_FORK_VERSION`] : fromHex(said)
  }
  const slotDurationMs =
    spec.SLOT_DURATION_MS ??
    (spec.SECONDS_PER_SLOT === undefined ? defaults.SLOT_DURATION_MS : spec.SECONDS_PER_SLOT * 1000)
  const slotsPerEpoch = spec.SLOTS_PER_EPOCH ?? slotsPerEpochOf[preset] ?? 32
  if (slotDurationMs === 0 || slotsPerEpoch === 0) return Either.left("a slot or an epoch of no length")
  return Either.right({
    network: spec.CONFIG_NAME ?? "unknown",
    genesisTime: genesis.data.genesis_time,
    genesisValidatorsRoot: fromHex(genesis.data.genesis_validators_root),
    slotDurationMs,
    slotsPerEpoch,
    forks: forkNames
      .map((name): Fork =>
        name === "phase0"
          ? { name, version: fromHex(genesis.data.genesis_fork_version), epoch: 0 }
          : { name, version: version(name), epoch: epoch(name) }
      )
      // Stable: of forks at the same epoch the newest stays last.
      .sort((a, b) => (a.epoch === b.epoch ? 0 : a.epoch - b.epoch)),
    blobSchedule: (spec.BLOB_SCHEDULE ?? known?.BLOB_SCHEDULE ?? [])
      .map((entry) => ({ epoch: entry.EPOCH, maxBlobsPerBlock: entry.MAX_BLOBS_PER_BLOCK }))
      .sort((a, b) => (a.epoch === b.epoch ? 0 : a.epoch - b.epoch)),
    maxBlobsPerBlockElectra: spec.MAX_BLOBS_PER_BLOCK_ELECTRA ?? defaults.MAX_BLOBS_PER_BLOCK_ELECTRA,
    retentionEpochs:
      spec.MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS ?? defaults.MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS
  })
}

/** What blocks look like is settled by the preset, for as long as the program runs. */
const wrongPreset = (preset: string, activePreset: string, name: string | undefined): string => {
  const network = networkNames.find((known) => known === name)
  const advice =
    network !== undefined && presetOf[network] === preset
      ? `name the network: --network ${network}, or network: ${network} in the configuration`
      : Object.hasOwn(slotsPerEpochOf, preset)
        ? `name no network, and start dasmon with LODESTAR_PRESET=${preset} in its environment`
        : "dasmon cannot watch it"
  return `its network ${printable(name ?? "", 40)} is made of the preset ${printable(preset, 40)}, and this program runs with ${activePreset}: ${advice}`
}

const slotsPerEpochOf: Readonly<Record<string, number>> = { mainnet: 32, minimal: 8, gnosis: 16 }

const upper = <Name extends string>(name: Name): Uppercase<Name> => uppercased(name)

// String.prototype.toUpperCase loses the literal type.
function uppercased<Name extends string>(name: Name): Uppercase<Name>
function uppercased(name: string): string {
  return name.toUpperCase()
}
