import type { Effect } from "effect"
import { type BlobPool, makeBlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import { type ChainRules, type ChainState, genesisState, grow } from "../../../src/devnet/chain/ChainState.ts"
import type { DevBlock } from "../../../src/devnet/chain/DevBlock.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import type { DevnetError } from "../../../src/devnet/DevnetError.ts"

/** A chain that two processes make alike. */
export interface BenchChain extends ChainRules {
  readonly stateAt: (slot: number) => ChainState
  /** With 21 blobs; none for an empty slot. */
  readonly blockAt: (slot: number) => DevBlock | undefined
}

export const seed = 47
export const blobs = 21
/** Blob limits step at epoch 3: the measured slots are well behind it. */
export const firstSlot = 5 * 32

/** Some seconds. */
export const makeBenchPool: Effect.Effect<BlobPool, DevnetError> = makeBlobPool(seed, blobs)

export const makeBenchChain = (pool: BlobPool, slotMs: number, genesisTime: number): BenchChain => {
  const parameters = devnetParameters(seed, slotMs, genesisTime, {}, blobs)
  const rules: ChainRules = { parameters, pool, seed, blobs, signedFrom: firstSlot }
  let state = genesisState(rules)
  const stateAt = (slot: number): ChainState => {
    if (slot > state.slot) state = grow(rules, state, slot)
    return state
  }
  return { ...rules, stateAt, blockAt: (slot) => stateAt(slot).canonical.get(slot) }
}
