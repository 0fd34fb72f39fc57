import { Effect } from "effect"
import { resultCodes } from "../../wire/Refusal.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Answers every request for columns with ResourceUnavailable, within its own claim too. */
export const unavailable: Profile = {
  ...honest,
  depart: () =>
    Effect.succeed({
      respond: ({ reply }) => reply.error(resultCodes.resourceUnavailable, "columns pruned within boundary")
    })
}
