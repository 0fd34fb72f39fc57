import { Effect } from "effect"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import { sendAll } from "./Honest.ts"
import type { ColumnAnswer } from "./Profile.ts"

/** The first half of the chunks, and of the next one its first half. */
export const sendPart = (answer: ColumnAnswer): Effect.Effect<void, StreamFailure> => {
  const whole = Math.floor(answer.items.length / 2)
  const next = answer.items[whole]
  return Effect.zipRight(
    sendAll({ ...answer, items: answer.items.slice(0, whole) }),
    Effect.suspend(() => {
      if (next === undefined) return Effect.void
      const chunk = answer.chunk(next)
      return answer.reply.raw(chunk.subarray(0, chunk.length / 2))
    })
  )
}
