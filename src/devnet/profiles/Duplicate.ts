import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Sends every sidecar twice. */
export const duplicate: Profile = {
  ...honest,
  depart: () => Effect.succeed({ select: (items) => items.flatMap((item) => [item, item]) })
}
