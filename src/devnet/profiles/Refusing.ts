import { Effect, HashMap, Option, Ref } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { goodbyeCodes, resultCodes } from "../../wire/Refusal.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/**
 * Dishonest: turns every request for columns away, as clients do it now and then: code 1 "rate limited", code 139, and then
 * a Goodbye and the end of the connection; the same again after that.
 */
export const throttle: Profile = {
  ...honest,
  depart: (_, { dismiss, random }) =>
    Effect.gen(function* () {
      const requests = yield* Ref.make(HashMap.empty<string, number>())
      return {
        respond: ({ reply, request: { peerId } }) =>
          Effect.gen(function* () {
            const count = yield* Ref.modify(requests, (counts) => {
              const count = Option.getOrElse(HashMap.get(counts, peerId), () => 0)
              return [count, HashMap.set(counts, peerId, (count + 1) % 3)]
            })
            if (count === 0) return yield* reply.error(resultCodes.invalidRequest, "rate limited")
            if (count === 1)
              return yield* reply.error(resultCodes.rateLimited, "Rate limited. There are too many requests")
            yield* dismiss(peerId, random.chance(0.5) ? goodbyeCodes.tooManyPeers : goodbyeCodes.badScore)
            // An end of the stream would be an empty response: the connection ends it.
            return yield* Effect.never
          })
      }
    })
}

/**
 * Dishonest: its ENR says that it is on this network, or nobody would find it; by its Status it lives on another one, and
 * so it says Goodbye after that.
 */
export const wrongNetwork: Profile = {
  ...honest,
  depart: (_, { random }) =>
    Effect.sync(() => {
      const forkDigest = toHex(random.bytes(4))
      return {
        status: (status) => ({ ...status, forkDigest }),
        stored: Effect.succeed(() => false)
      }
    })
}
