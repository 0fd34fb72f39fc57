import { Effect } from "effect"
import { custodyRequirement } from "../../domain/network/Chain.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import type { Profile } from "./Profile.ts"

/** Says that it keeps 32 groups, and keeps the 4 that everybody must. */
export const overclaim: Profile = {
  custodyGroupCount: () => 32,
  depart: (_, { nodeId }) => {
    const kept = new Set(custodyColumns(nodeId, custodyRequirement))
    return Effect.succeed({ stored: Effect.succeed((_state, _slot, column) => kept.has(column)) })
  }
}
