import { Array as Arr, Clock, Duration, Effect } from "effect"
import { resultCodes } from "../../../wire/Refusal.ts"
import { leakyBucket } from "./LeakyBucket.ts"
import type { ColumnOf, Conduct } from "../Profile.ts"

/** Sends what it has block by block, and no further block once `limit` is over; what comes after is left out. */
export const cutAfter =
  (limit: Duration.DurationInput, respond: Conduct["respond"]): Conduct["respond"] =>
  (response) =>
    Effect.gen(function* () {
      if (response.request.by === "range") return yield* respond(response)
      const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(limit)
      for (const items of byBlock(response.items)) {
        if ((yield* Clock.currentTimeMillis) >= until) return
        yield* respond({ ...response, items })
      }
    })

/** By root, what comes after a block of which there is nothing is forgotten. */
export const firstUnknownEnds: Conduct["select"] = (items, { blocks, by }) => {
  if (by === "range") return items
  const end = blocks.findIndex((block) => !items.some((item) => item.block === block))
  const told = end < 0 ? blocks : blocks.slice(0, end)
  return items.filter(({ block }) => told.includes(block))
}

/** Each chunk waits until the quota of all guests has room for it. */
export const paced = (quota: Parameters<typeof leakyBucket>[0], respond: Conduct["respond"]): Conduct["respond"] => {
  const bucket = leakyBucket(quota)
  const turn: Effect.Effect<void> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (bucket.left(now) >= 1) return Effect.sync(() => bucket.charge(1, now))
    return Effect.zipRight(Effect.sleep(Duration.millis(((1 - bucket.left(now)) / quota.leakPerSecond) * 1000)), turn)
  })
  return (response) =>
    respond({
      ...response,
      reply: { ...response.reply, raw: (bytes) => Effect.zipRight(turn, response.reply.raw(bytes)) }
    })
}

/** By root, code 3 instead of nothing at all; and no stream is open for longer than five seconds. */
export const emptyIsUnavailable =
  (respond: Conduct["respond"]): Conduct["respond"] =>
  (response) =>
    (response.request.by === "root" && response.items.length === 0
      ? response.reply.error(resultCodes.resourceUnavailable, "")
      : respond(response)
    ).pipe(
      Effect.timeoutTo({ duration: "5 seconds", onSuccess: () => Effect.void, onTimeout: () => response.reply.reset }),
      Effect.flatten
    )

const byBlock = (items: ReadonlyArray<ColumnOf>): ReadonlyArray<ReadonlyArray<ColumnOf>> =>
  Arr.isNonEmptyReadonlyArray(items) ? Arr.groupWith(items, (a, b) => a.block === b.block) : []
