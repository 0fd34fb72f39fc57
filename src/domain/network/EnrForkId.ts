import { concatBytes, uint64LittleEndian } from "../Bytes.ts"
import { type ChainParameters, forkAt } from "./Chain.ts"
import { digestEpochs, forkDigestAt } from "./ForkDigest.ts"
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

/** The first epoch after `epoch` at which the fork digest changes, if any is scheduled. */
export const nextDigestEpoch = (chain: ChainParameters, epoch: Epoch): Epoch | undefined =>
  digestEpochs(chain).find((step) => step > epoch)
