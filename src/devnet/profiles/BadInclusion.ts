import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** One node of the inclusion proof is altered. */
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
