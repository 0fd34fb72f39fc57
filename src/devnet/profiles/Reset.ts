import { Effect } from "effect"
import { sendPart } from "./SendPart.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Sends half of its answer and resets the stream inside a chunk. */
export const reset: Profile = {
  ...honest,
  depart: () => Effect.succeed({ respond: (answer) => Effect.zipRight(sendPart(answer), answer.reply.reset) })
}
