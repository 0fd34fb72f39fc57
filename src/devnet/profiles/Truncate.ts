import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Honest, and as brief as the specification allows: all columns of the first block that has any, and no more. */
export const truncate: Profile = {
  ...honest,
  depart: () => Effect.succeed({ select: (items) => items.filter((item) => item.block === items[0]?.block) })
}
