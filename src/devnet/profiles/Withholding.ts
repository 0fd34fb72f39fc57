import { Effect } from "effect"
import { custodyRequirement, serveRange } from "../../domain/network/Chain.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Dishonest: lacks half of the columns that it claims, always the same ones, and does not say so. */
export const withhold: Profile = {
  ...honest,
  depart: (_, { custodyGroupCount, nodeId, random }) => {
    const columns = custodyColumns(nodeId, custodyGroupCount)
    const lacking = Math.ceil(columns.length * lackingFraction)
    const kept = new Set(random.shuffled(columns).slice(lacking))
    return Effect.succeed({ stored: Effect.succeed(({ column }) => kept.has(column)) })
  }
}

const lackingFraction = 0.5

/** Dishonest: keeps only the newer half of the slots that it claims. */
export const prune: Profile = {
  ...honest,
  depart: ({ stored }, { chain }) =>
    Effect.succeed({
      stored: Effect.map(stored, (has) => (item, request) => {
        const { end, start } = serveRange(chain.parameters, request.view.slot)
        return item.block.slot >= (start + end) / 2 && has(item, request)
      })
    })
}

/** Dishonest: says that it keeps 32 groups, and keeps the 4 that everybody must. */
export const overclaim: Profile = {
  custodyGroupCount: () => 32,
  depart: (_, { nodeId }) => {
    const kept = new Set(custodyColumns(nodeId, custodyRequirement))
    return Effect.succeed({ stored: Effect.succeed(({ column }) => kept.has(column)) })
  }
}

/** Dishonest: answers every request for columns with ResourceUnavailable, within its own claim too. */
export const unavailable: Profile = {
  ...honest,
  depart: () =>
    Effect.succeed({
      respond: ({ reply }) => reply.error(resultCodes.resourceUnavailable, "columns pruned within boundary")
    })
}
