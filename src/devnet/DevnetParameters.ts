import type { ChainParameters, ForkName } from "../domain/network/Chain.ts"
import type { Epoch } from "../domain/Primitives.ts"
import { seeded } from "./chain/Random.ts"

/** The name that the network gives itself. */
const networkName = "devnet"
/** The epoch at which columns replace blob sidecars. */
const fuluEpoch = 1
/** The epoch at which the blob limit steps from the one of Electra (9) to 12, or to what blocks are to have. */
const blobStepEpoch = 3
/** The limits of the two steps, at least. */
const firstStep = 12
const secondStep = 15

/** Those up to Fulu. */
const forkEpochs: ReadonlyArray<readonly [ForkName, number]> = [
  ["phase0", 0],
  ["altair", 0],
  ["bellatrix", 0],
  ["capella", 0],
  ["deneb", 0],
  ["electra", 0],
  ["fulu", fuluEpoch]
]

/**
 * A network of its own: fork versions and genesis_validators_root follow from the seed, so that its fork digests are no
 * other network's. Columns are kept for 256 epochs, which bounds the memory of a devnet that runs for long. The blob
 * limit steps once more at `blobStep`, and Gloas begins at `gloas`, if it does. From the first step on a block may have
 * `blobs` blobs, whatever the limits are otherwise.
 */
export const devnetParameters = (
  seed: number,
  slotDurationMs: number,
  genesisTime: number,
  next: { readonly blobStep?: Epoch | undefined; readonly gloas?: Epoch | undefined } = {},
  blobs = 0
): ChainParameters => {
  const random = seeded(seed, "network")
  const { blobStep, gloas = Infinity } = next
  const forks = [...forkEpochs, ["gloas", gloas] as const]
  const suffix = random.bytes(3)
  return {
    network: networkName,
    genesisTime,
    genesisValidatorsRoot: random.bytes(32),
    slotDurationMs,
    slotsPerEpoch: 32,
    forks: forks.map(([name, epoch], index) => ({ name, epoch, version: Uint8Array.of(index, ...suffix) })),
    blobSchedule: [
      { epoch: blobStepEpoch, maxBlobsPerBlock: Math.max(firstStep, blobs) },
      ...(blobStep === undefined ? [] : [{ epoch: blobStep, maxBlobsPerBlock: Math.max(secondStep, blobs + 3) }])
    ],
    maxBlobsPerBlockElectra: 9,
    retentionEpochs: 256
  }
}
