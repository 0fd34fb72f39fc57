import { Effect, Schedule } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Honest, but drops all its connections every 12 to 15 seconds. It can be dialled again at once. */
export const flap: Profile = {
  ...honest,
  depart: (_, { dropAll, random }) =>
    dropAll.pipe(Effect.schedule(Schedule.spaced(12_000 + random.below(3_000))), Effect.forkScoped, Effect.as({}))
}
