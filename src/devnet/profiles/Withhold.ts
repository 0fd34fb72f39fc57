import { Effect } from "effect"
import { custodyColumns } from "../../domain/Custody.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Lacks `fraction` (0 to 1) of the columns that it claims, always the same ones, and does not say so. */
export const withholding = (fraction: number): Profile => ({
  ...honest,
  depart: (_, { custodyGroupCount, nodeId, random }) => {
    const columns = custodyColumns(nodeId, custodyGroupCount)
    const kept = new Set(random.shuffled(columns).slice(Math.ceil(columns.length * fraction)))
    return Effect.succeed({ stored: Effect.succeed((_state, _slot, column) => kept.has(column)) })
  }
})

export const withhold: Profile = withholding(0.5)
