import { Effect } from "effect"
import { type DevBlock, makeBlock, sidecarOf } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Dishonest: flips a bit in a cell of every sidecar. The element stays below the modulus: only the KZG proof tells. */
export const corruptCell: Profile = {
  ...honest,
  depart: ({ sidecar }) =>
    Effect.succeed({
      sidecar: (item) => {
        const sound = sidecar(item)
        const row = (item.block.slot + item.column) % sound.column.length
        return { ...sound, column: sound.column.map((cell, index) => (index === row ? flipped(cell) : cell)) }
      }
    })
}

/**
 * Dishonest: the right header and inclusion proof, around cells, proofs and commitments of other blobs that agree with each
 * other.
 */
export const wrongCommitments: Profile = {
  ...honest,
  depart: (_, { chain }) =>
    Effect.succeed({
      sidecar: ({ block, column }) => {
        const blobs = block.blobs.map((blob) => (blob + 1) % chain.pool.length)
        const commitments = blobs.flatMap((blob) => chain.pool[blob]?.commitment ?? [])
        return sidecarOf(chain.pool, { ...block, blobs, commitments }, column)
      }
    })
}

/**
 * Dishonest: sidecars of a block that was never part of the chain. Everything in them agrees, but the header has another
 * root.
 */
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

/** Dishonest: one node of the inclusion proof is altered. */
export const badInclusion: Profile = {
  ...honest,
  depart: ({ sidecar }) =>
    Effect.succeed({
      sidecar: (item) => {
        const sound = sidecar(item)
        const branch = sound.kzgCommitmentsInclusionProof.map((node, depth) =>
          depth === 2 ? node.with(0, (node[0] ?? 0) ^ 1) : node
        )
        return { ...sound, kzgCommitmentsInclusionProof: branch }
      }
    })
}

/** A cell with another last byte of its last field element. */
export const flipped = (cell: Uint8Array): Uint8Array => cell.with(cell.length - 1, (cell.at(-1) ?? 0) ^ 1)

const forge = (chain: DevChain, block: DevBlock): DevBlock =>
  makeBlock(chain.parameters, chain.pool, {
    seed: chain.seed,
    slot: block.slot,
    parentRoot: block.header.message.parentRoot,
    parentHash: block.parentHash,
    variant: "forged",
    blobs: block.blobs
  })
