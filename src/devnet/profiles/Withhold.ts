import { Effect } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Lacks half of the columns that it claims, always the same ones, and does not say so. */
export const withhold: Profile = {
  ...honest,
  depart: (_, { custodyGroupCount, nodeId, random }) => {
    const columns = custodyColumns(nodeId, custodyGroupCount)
    const lacking = Math.ceil(columns.length * lackingFraction)
    const kept = new Set(random.shuffled(columns).slice(lacking))
    return Effect.succeed({ stored: Effect.succeed((_state, _slot, column) => kept.has(column)) })
  }
}

const lackingFraction = 0.5
