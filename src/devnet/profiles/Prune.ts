import { Effect } from "effect"
import { serveRange } from "../../domain/network/Chain.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Keeps only the newer half of the slots that it claims. */
export const prune: Profile = {
  ...honest,
  depart: ({ stored }, { chain }) =>
    Effect.succeed({
      stored: Effect.map(stored, (has) => (state, slot, column) => {
        const { end, start } = serveRange(chain.parameters, state.slot)
        return slot >= (start + end) / 2 && has(state, slot, column)
      })
    })
}
