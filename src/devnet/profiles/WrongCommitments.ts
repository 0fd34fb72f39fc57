import { Effect } from "effect"
import { sidecarOf } from "../chain/DevBlock.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** The right header and inclusion proof, around cells, proofs and commitments of other blobs that agree with each other. */
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
