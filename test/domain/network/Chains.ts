import { readFileSync } from "node:fs"
import { fromHex } from "../../../src/domain/Bytes.ts"
import type { ChainParameters, ForkName } from "../../../src/domain/network/Chain.ts"

export const readVector = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${path}`, import.meta.url), "utf8"))

/** A network of one fork per epoch given, with time, limits and schedule like mainnet's. */
export const makeChain = (parts: Partial<ChainParameters>): ChainParameters => ({
  network: "test",
  genesisTime: 1_600_000_000,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  forks: [
    { name: "phase0", version: fromHex("0x00000000"), epoch: 0 },
    { name: "electra", version: fromHex("0x05000000"), epoch: 5 },
    { name: "fulu", version: fromHex("0x06000000"), epoch: 10 },
    { name: "gloas", version: fromHex("0x07000000"), epoch: Infinity }
  ],
  blobSchedule: [
    { epoch: 20, maxBlobsPerBlock: 15 },
    { epoch: 30, maxBlobsPerBlock: 21 }
  ],
  maxBlobsPerBlockElectra: 9,
  retentionEpochs: 4096,
  ...parts
})

interface NetworkEntry {
  readonly name: string
  readonly epoch: number
  readonly fork_version: string
  readonly blob_parameters: { readonly epoch: number; readonly max_blobs_per_block: number } | null
  readonly fork_digest: string
}

const networks: Record<
  string,
  { readonly genesis_validators_root: string; readonly entries: ReadonlyArray<NetworkEntry> }
> = readVector("fork_digest/networks.json").networks

const names: ReadonlyArray<ForkName> = ["phase0", "altair", "bellatrix", "capella", "deneb", "electra", "fulu"]

/** The public networks of test/vectors/fork_digest/networks.json, each with the digests that it must have. */
export const publicNetworks = Object.entries(networks).map(([network, { entries, genesis_validators_root }]) => ({
  network,
  entries,
  chain: makeChain({
    network,
    genesisValidatorsRoot: fromHex(genesis_validators_root),
    forks: [
      ...names.flatMap((name) => {
        const entry = entries.find((entry) => entry.name === name)
        return entry === undefined ? [] : [{ name, version: fromHex(entry.fork_version), epoch: entry.epoch }]
      }),
      { name: "gloas" as const, version: fromHex("0x07000000"), epoch: Infinity }
    ],
    blobSchedule: entries.flatMap(({ blob_parameters, name }) =>
      name.startsWith("bpo") && blob_parameters !== null
        ? [{ epoch: blob_parameters.epoch, maxBlobsPerBlock: blob_parameters.max_blobs_per_block }]
        : []
    )
  })
}))
