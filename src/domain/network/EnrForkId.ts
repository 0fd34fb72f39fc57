import { concatBytes, uint64LittleEndian } from "../Bytes.ts"
import { type ChainParameters, forkAt, forkEpoch } from "./Chain.ts"
import { forkDigestAt } from "./ForkDigest.ts"
import type { Epoch } from "../Primitives.ts"

/** What an ENR says of the network that its node is on (fulu/p2p-interface.md, "ENR structure"). */
export interface EnrForkId {
  /** `eth2`, an ENRForkID of 16 bytes: fork digest, version and epoch of the next fork. */
  readonly eth2: Uint8Array
  /** `nfd`, 4 bytes: the digest of the next fork or blob-parameter step; zeros if none is scheduled. */
  readonly nfd: Uint8Array
}

/** That of an epoch; `digest` (4 bytes) in place of the one that belongs to it. */
export const enrForkIdAt = (chain: ChainParameters, epoch: Epoch, digest = forkDigestAt(chain, epoch)): EnrForkId => {
  const next = nextDigestEpoch(chain, epoch)
  // A step of the blob limit alone changes the epoch, and not the version.
  const isFork = chain.forks.some((fork) => fork.epoch === next)
  return {
    eth2: concatBytes([
      digest,
      forkAt(chain, isFork && next !== undefined ? next : epoch).version,
      uint64LittleEndian(next ?? Infinity)
    ]),
    nfd: next === undefined ? new Uint8Array(4) : forkDigestAt(chain, next)
  }
}

/** The epochs after genesis at which the fork digest changes, ascending: forks, and from Fulu on steps of the blob limit. */
export const digestEpochs = (chain: ChainParameters): ReadonlyArray<Epoch> => {
  const fulu = forkEpoch(chain, "fulu")
  const steps = chain.blobSchedule.filter(({ epoch }) => epoch >= fulu)
  return [...new Set([...chain.forks, ...steps].map(({ epoch }) => epoch))]
    .filter((epoch) => epoch > 0 && Number.isFinite(epoch))
    .sort((a, b) => a - b)
}

/** The first of them after `epoch`, if any is scheduled. */
export const nextDigestEpoch = (chain: ChainParameters, epoch: Epoch): Epoch | undefined =>
  digestEpochs(chain).find((step) => step > epoch)
