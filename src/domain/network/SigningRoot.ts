import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes } from "../Bytes.ts"
import { type ChainParameters, epochOf, forkAt } from "./Chain.ts"
import type { Slot } from "../Primitives.ts"

/**
 * compute_signing_root (phase0/beacon-chain.md) of a block's header, of which `blockRoot` (32 bytes) is the root: the 32
 * bytes that its proposer signs. The domain is that of the fork at the slot; a step of the blob limit does not change it.
 */
export const headerSigningRoot = (chain: ChainParameters, slot: Slot, blockRoot: Uint8Array): Uint8Array =>
  sha256(
    concatBytes([blockRoot, proposerDomain(forkAt(chain, epochOf(chain, slot)).version, chain.genesisValidatorsRoot)])
  )

/** compute_domain for DOMAIN_BEACON_PROPOSER: 32 bytes. */
export const proposerDomain = (forkVersion: Uint8Array, genesisValidatorsRoot: Uint8Array): Uint8Array => {
  const version = new Uint8Array(32)
  version.set(forkVersion)
  const forkDataRoot = sha256(concatBytes([version, genesisValidatorsRoot]))
  return concatBytes([new Uint8Array(4), forkDataRoot.subarray(0, 28)])
}
