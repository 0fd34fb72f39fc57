import { Option } from "effect"
import type { Block } from "../../src/domain/network/Block.ts"
import { genesisState, grow } from "../../src/devnet/chain/ChainState.ts"
import { type DevBlock, encodeSidecar, hasSidecars, type Sidecar, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { signAs } from "../../src/devnet/chain/Validators.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import type { ChainParameters } from "../../src/domain/network/Chain.ts"
import { type ColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { headerRoot } from "../../src/domain/network/HeaderRoot.ts"
import { headerSigningRoot } from "../../src/domain/network/SigningRoot.ts"
import { ssz } from "@lodestar/types"
import { fakePool } from "../devnet/FakePool.ts"

export const seed = 1

const chainOf = (parameters: ChainParameters, pool = fakePool, signedFrom = 0) => {
  const rules = { parameters, pool, seed, signedFrom }
  const state = grow(rules, genesisState(rules), 160)
  return {
    parameters,
    state,
    /** The first block from `slot` on that has columns. */
    blockFrom: (slot: number): DevBlock => {
      for (let at = slot; at <= state.slot; at++) {
        const block = state.canonical.get(at)
        if (block !== undefined && hasSidecars(block)) return block
      }
      throw new Error(`no block with columns from slot ${slot} on`)
    },
    topicOf: (slot: number, column: number): ColumnTopic => ({ forkDigest: forkDigestOfSlot(parameters, slot), column })
  }
}

/** Slots of a second, from the epoch of Unix on; the blob limit steps at slot 96. */
export const fulu = chainOf(devnetParameters(seed, 1000, 0))
/** The same, and Gloas begins at slot 128. */
export const gloas = chainOf(devnetParameters(seed, 1000, 0, { gloas: 4 }))
export const { blockFrom, parameters, topicOf } = fulu
/** As the first, but what its blocks say that are commitments are no points on the curve. */
export const pointless = chainOf(
  parameters,
  fakePool.map((blob, index) => ({ ...blob, commitment: new Uint8Array(48).fill(index + 1) })),
  129
)

/** The SSZ of a sidecar whose cells prove nothing, with something changed. */
export const columnOf = (block: DevBlock, column: number, change: (sidecar: Sidecar) => Sidecar = (same) => same) =>
  encodeSidecar(block.fork, change(sidecarOf(fakePool, block, column)))

/** The same with another header, which its proposer, or `signer`, has signed. */
export const withHeader =
  (change: Partial<DevBlock["header"]["message"]>, signer?: number) =>
  (sidecar: Sidecar): Sidecar => {
    const message = { ...sidecar.signedBlockHeader.message, ...change }
    const root = headerRoot(ssz.phase0.BeaconBlockHeader.serialize(message))
    const signature = signAs(seed, signer ?? message.proposerIndex, headerSigningRoot(parameters, message.slot, root))
    return { ...sidecar, signedBlockHeader: { message, signature } }
  }

/** The block as the chain tells of it. */
export const canonical = (block: DevBlock): Block => ({
  slot: block.slot,
  root: block.root,
  parentRoot: toHex(block.header.message.parentRoot),
  fork: block.fork,
  commitments: block.commitments,
  signature: Option.some(block.header.signature),
  payload: "full"
})
