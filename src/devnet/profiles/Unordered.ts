import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Sends its sidecars last one first. */
export const unordered: Profile = {
  ...honest,
  depart: () => Effect.succeed({ select: (items) => [...items].reverse() })
}
