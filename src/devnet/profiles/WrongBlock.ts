import { Effect } from "effect"
import { type DevBlock, makeBlock, sidecarOf } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Sidecars of a block that was never part of the chain: everything in them agrees, but the header has another root. */
export const wrongBlock: Profile = {
  ...honest,
  depart: (_, { chain }) =>
    Effect.sync(() => {
      const forgeries = new WeakMap<DevBlock, DevBlock>()
      return {
        sidecar: ({ block, column }) => {
          const forged = forgeries.get(block) ?? forge(chain, block)
          forgeries.set(block, forged)
          return sidecarOf(chain.pool, forged, column)
        }
      }
    })
}

const forge = (chain: DevChain, block: DevBlock): DevBlock =>
  makeBlock(chain.parameters, chain.pool, {
    seed: chain.seed,
    slot: block.slot,
    parentRoot: block.header.message.parentRoot,
    variant: "forged",
    blobs: block.blobs
  })
