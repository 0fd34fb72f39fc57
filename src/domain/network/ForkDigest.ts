import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, toHex, uint64LittleEndian } from "../Bytes.ts"
import {
  type BlobParameters,
  blobParametersAt,
  type ChainParameters,
  epochOf,
  forkAt,
  type ForkName,
  forkEpoch
} from "./Chain.ts"
import type { Epoch, Slot } from "../Primitives.ts"

/** What a fork digest stands for: a fork and, from Fulu on, one step of the blob schedule. */
interface DigestEntry {
  /** `0x` and 8 hexadecimal digits. */
  readonly digest: string
  readonly fork: ForkName
  readonly maxBlobsPerBlock: number
  readonly firstEpoch: Epoch
  /** `Infinity` for the last one scheduled. */
  readonly lastEpoch: Epoch
}

/** Digest → entry, for every fork and blob-parameter step that is scheduled. */
export type DigestTable = ReadonlyMap<string, DigestEntry>

/** compute_fork_digest (fulu/beacon-chain.md): 4 bytes that name the network, fork and blob limit at `epoch`. */
export const forkDigestAt = (chain: ChainParameters, epoch: Epoch): Uint8Array =>
  computeForkDigest(
    chain.genesisValidatorsRoot,
    forkAt(chain, epoch).version,
    epoch < forkEpoch(chain, "fulu") ? undefined : blobParametersAt(chain, epoch)
  )

/** The same from its parts: 32 bytes, 4 bytes, and from Fulu on the blob limit in force. */
export const computeForkDigest = (
  genesisValidatorsRoot: Uint8Array,
  forkVersion: Uint8Array,
  blob: BlobParameters | undefined
): Uint8Array => {
  const version = new Uint8Array(32)
  version.set(forkVersion)
  const root = sha256(concatBytes([version, genesisValidatorsRoot]))
  if (blob === undefined) return root.slice(0, 4)
  const mask = sha256(concatBytes([uint64LittleEndian(blob.epoch), uint64LittleEndian(blob.maxBlobsPerBlock)]))
  return root.slice(0, 4).map((byte, index) => byte ^ (mask[index] ?? 0))
}

/** The digest that a chunk of `slot` carries as its context bytes. */
export const forkDigestOfSlot = (chain: ChainParameters, slot: Slot): string =>
  toHex(forkDigestAt(chain, epochOf(chain, slot)))

/** Those of `slot`, and near an epoch at which the digest changes of both sides: clocks are a moment apart. */
export const forkDigestsAround = (chain: ChainParameters, slot: Slot): ReadonlyArray<string> => [
  ...new Set([slot - 2, slot + 2].map((near) => forkDigestOfSlot(chain, Math.max(0, near))))
]

/** Every digest of the network's schedule: context bytes of old slots carry old digests. */
export const digestTable = (chain: ChainParameters): DigestTable => {
  const epochs = stepsOf(chain)
  return new Map(
    epochs.map((firstEpoch, index): [string, DigestEntry] => {
      const digest = toHex(forkDigestAt(chain, firstEpoch))
      return [
        digest,
        {
          digest,
          fork: forkAt(chain, firstEpoch).name,
          maxBlobsPerBlock: blobParametersAt(chain, firstEpoch).maxBlobsPerBlock,
          firstEpoch,
          lastEpoch: (epochs[index + 1] ?? Infinity) - 1
        }
      ]
    })
  )
}

/** The epochs after genesis at which the fork digest changes, ascending: forks, and from Fulu on steps of the blob limit. */
export const digestEpochs = (chain: ChainParameters): ReadonlyArray<Epoch> =>
  stepsOf(chain).filter((epoch) => epoch > 0)

/** Where a digest is the first one of its own. */
const stepsOf = (chain: ChainParameters): ReadonlyArray<Epoch> => {
  const fulu = forkEpoch(chain, "fulu")
  const blobSteps = chain.blobSchedule.filter(({ epoch }) => epoch >= fulu)
  return [...new Set([...chain.forks, ...blobSteps].map(({ epoch }) => epoch))]
    .filter((epoch) => Number.isFinite(epoch))
    .sort((a, b) => a - b)
}
