import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Greets, but never answers a request for columns: the stream stays open until the remote gives it up. */
export const silent: Profile = {
  ...honest,
  depart: () => Effect.succeed({ respond: () => Effect.never })
}
