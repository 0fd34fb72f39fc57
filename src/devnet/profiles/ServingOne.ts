import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"
import { withhold } from "./Withholding.ts"

/**
 * Dishonest: takes whoever asks it for columns first for the monitor, and serves it alone: to all others it lacks half of
 * the columns that it claims, always the same ones.
 */
export const servesOne: Profile = {
  ...honest,
  depart: (conduct, peer) =>
    Effect.gen(function* () {
      const toOthers = (yield* withhold.depart(conduct, peer)).stored ?? conduct.stored
      let monitor: string | undefined
      return {
        stored: Effect.zipWith(conduct.stored, toOthers, (all, some) => (item, request) => {
          monitor ??= request.peerId
          return request.peerId === monitor ? all(item, request) : some(item, request)
        })
      }
    })
}
