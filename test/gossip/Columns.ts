import { Option } from "effect"
import type { Block } from "../../src/domain/network/Block.ts"
import { genesisState, grow } from "../../src/devnet/chain/ChainState.ts"
import { type DevBlock, encodeSidecar, hasSidecars, type Sidecar, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { type ColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { fakePool } from "../devnet/FakePool.ts"

/** Slots of a second, from the epoch of Unix on; the blob limit steps at slot 96. */
export const parameters = devnetParameters(1, 1000, 0)
const rules = { parameters, pool: fakePool, seed: 1 }
const state = grow(rules, genesisState(rules), 160)

/** The first block from `slot` on that has columns. */
export const blockFrom = (slot: number): DevBlock => {
  for (let at = slot; at <= state.slot; at++) {
    const block = state.canonical.get(at)
    if (block !== undefined && hasSidecars(block)) return block
  }
  throw new Error(`no block with columns from slot ${slot} on`)
}

export const topicOf = (slot: number, column: number): ColumnTopic => ({
  forkDigest: forkDigestOfSlot(parameters, slot),
  column
})

/** The SSZ of a sidecar whose cells prove nothing, with something changed. */
export const columnOf = (block: DevBlock, column: number, change: (sidecar: Sidecar) => Sidecar = (same) => same) =>
  encodeSidecar(block.fork, change(sidecarOf(fakePool, block, column)))

/** The block as the chain tells of it. */
export const canonical = (block: DevBlock): Block => ({
  slot: block.slot,
  root: block.root,
  parentRoot: "0x",
  fork: "fulu",
  commitments: block.commitments,
  signature: Option.some(block.header.signature),
  payload: "full"
})
