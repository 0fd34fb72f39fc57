import { Effect } from "effect"
import { sendPart } from "./SendPart.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Sends half of its answer, stops inside a chunk, and leaves the stream open. */
export const stall: Profile = {
  ...honest,
  depart: () => Effect.succeed({ respond: (answer) => Effect.zipRight(sendPart(answer), Effect.never) })
}
