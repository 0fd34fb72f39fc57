import { Effect } from "effect"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import { sendAll } from "./HonestConduct.ts"
import { honest } from "./Honest.ts"
import type { ColumnResponse, Profile } from "./Profile.ts"

/** Dishonest: greets, but never answers a request for columns: the stream stays open until the remote gives it up. */
export const silent: Profile = {
  ...honest,
  depart: () => Effect.succeed({ respond: () => Effect.never })
}

/** Dishonest: sends half of its response, stops inside a chunk, and leaves the stream open. */
export const stall: Profile = {
  ...honest,
  depart: () => Effect.succeed({ respond: (response) => Effect.zipRight(sendHalf(response), Effect.never) })
}

/** Dishonest: sends half of its response and resets the stream inside a chunk. */
export const reset: Profile = {
  ...honest,
  depart: () => Effect.succeed({ respond: (response) => Effect.zipRight(sendHalf(response), response.reply.reset) })
}

/** The first half of the chunks, and of the next one its first half. */
const sendHalf = (response: ColumnResponse): Effect.Effect<void, StreamFailure> => {
  const whole = Math.floor(response.items.length / 2)
  const next = response.items[whole]
  return Effect.zipRight(
    sendAll({ ...response, items: response.items.slice(0, whole) }),
    Effect.suspend(() => {
      if (next === undefined) return Effect.void
      const chunk = response.chunk(next)
      return response.reply.raw(chunk.subarray(0, chunk.length / 2))
    })
  )
}
