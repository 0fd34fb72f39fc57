import { Clock, Effect, Ref, Schedule } from "effect"
import { epochOf, epochStart } from "../../domain/network/Chain.ts"
import { blockAtOrBefore } from "../chain/ChainState.ts"
import { seenFrom, slowToReorganise } from "../chain/ChainView.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"
import { inSlots, slots } from "./SlotTime.ts"

/**
 * Honest, as Prysm is that is restarted every 12 to 17 slots: its connections end, for a slot every new one does so at once,
 * for another one it listens and speaks no protocol. Then its head is the justified slot, and takes six slots to climb to
 * where it was. It also follows a reorg eight slots late.
 */
export const restarting: Profile = {
  ...honest,
  depart: (_, { chain, dropAll, random }) =>
    Effect.gen(function* () {
      const { parameters } = chain
      const branch = yield* slowToReorganise(chain, branchSlots)
      const climbedAt = yield* Ref.make(0)
      const down = Effect.gen(function* () {
        yield* Effect.repeat(dropAll, Schedule.intersect(Schedule.spaced(slots(chain, 0.1)), Schedule.recurs(10)))
        yield* Effect.sleep(slots(chain, 1))
        yield* Ref.set(climbedAt, yield* inSlots(chain, climbSlots))
      })
      return {
        serve: (handlers) => {
          const up = Effect.gen(function* () {
            yield* handlers
            yield* Effect.sleep(slots(chain, 12 + random.below(6)))
            yield* dropAll
          })
          return Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.scoped(up), down)))
        },
        view: Effect.gen(function* () {
          const state = yield* branch
          const left = (yield* Ref.get(climbedAt)) - (yield* Clock.currentTimeMillis)
          if (left <= 0) return state
          const justified = epochStart(parameters, Math.max(epochOf(parameters, state.head.slot) - 1, 0))
          const lacking = (state.head.slot - justified) * Math.min(left / (climbSlots * parameters.slotDurationMs), 1)
          return seenFrom(state, blockAtOrBefore(state, state.head.slot - Math.ceil(lacking)))
        })
      }
    })
}

const climbSlots = 6

/** Honest, and listens before it has registered its protocols: it speaks none of them for six slots after somebody came. */
export const starting: Profile = {
  ...honest,
  depart: (_, { chain, met }) =>
    Effect.succeed({
      serve: (handlers) => met.pipe(Effect.zipRight(Effect.delay(handlers, slots(chain, 6))), Effect.forkScoped)
    })
}

/** Honest, and on another branch for eight slots after a reorg: its head and what it serves by range are orphans then. */
export const orphanServer: Profile = {
  ...honest,
  depart: (_, { chain }) => Effect.map(slowToReorganise(chain, branchSlots), (view) => ({ view }))
}

const branchSlots = 8
