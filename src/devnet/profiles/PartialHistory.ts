import { Clock, Effect, Ref, Schedule } from "effect"
import { epochStart, forkEpoch } from "../../domain/network/Chain.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import { blockAtOrBefore, finalized } from "../chain/ChainState.ts"
import { seenFrom } from "../chain/ChainView.ts"
import { hasSidecars } from "../chain/DevBlock.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"
import { inSlots, slots } from "./SlotTime.ts"

/**
 * Honest, as Lodestar and Prysm are after they have synced from a checkpoint: the slot of the block that it began with is
 * its earliest available one, and it has all columns but those of that block.
 */
export const anchor: Profile = {
  ...honest,
  depart: ({ claim, stored }, { chain, random }) =>
    Effect.gen(function* () {
      const { parameters } = chain
      const state = yield* chain.state
      const epoch = finalized(parameters, state).epoch - 1 - random.below(3)
      const from = epochStart(parameters, Math.max(epoch, forkEpoch(parameters, "fulu")))
      const blocks = [...state.canonical.values()].filter((block) => block.slot >= from && hasSidecars(block))
      const anchorSlot = blocks.reduce((lowest, { slot }) => Math.min(lowest, slot), state.slot)
      return {
        claim: Effect.map(claim, (claim) => ({
          ...claim,
          earliestAvailableSlot: Math.max(anchorSlot, claim.earliestAvailableSlot)
        })),
        stored: Effect.map(stored, (has) => (item, request) => item.block.slot > anchorSlot && has(item, request))
      }
    })
}

/**
 * Honest, as Lighthouse is that fills its history: its earliest slot falls in steps, and a range that begins below it gets
 * code 3. So does every other range for eight slots after somebody has come, and twice at least, though it has those slots.
 */
export const backfilling: Profile = {
  ...honest,
  depart: ({ claim, respond, stored }, { chain, met, random }) =>
    Effect.gen(function* () {
      const { slotsPerEpoch } = chain.parameters
      const { slot } = yield* chain.state
      const earliest = yield* Ref.make(Math.max(slot - slotsPerEpoch - random.below(slotsPerEpoch), 0))
      const readyAt = yield* Ref.make(Infinity)
      const refusals = yield* Ref.make(0)
      const step = Ref.updateAndGet(earliest, (slot) => Math.max(slot - slotsPerEpoch * (1 + random.below(3)), 0))
      const fill = Effect.gen(function* () {
        yield* met
        yield* Ref.set(readyAt, yield* inSlots(chain, refusingSlots))
        yield* Effect.sleep(slots(chain, refusingSlots))
        yield* Effect.repeat(Effect.delay(step, slots(chain, 4)), { until: (slot) => slot === 0 })
      })
      yield* Effect.forkScoped(fill)
      const isReady = Effect.gen(function* () {
        const isLate = (yield* Clock.currentTimeMillis) >= (yield* Ref.get(readyAt))
        return isLate && (yield* Ref.get(refusals)) >= leastRefusals
      })
      return {
        claim: Effect.zipWith(claim, Ref.get(earliest), (claim, slot) => ({
          ...claim,
          earliestAvailableSlot: Math.max(slot, claim.earliestAvailableSlot)
        })),
        stored: Effect.zipWith(
          stored,
          Ref.get(earliest),
          (has, slot) => (item, request) => item.block.slot >= slot && has(item, request)
        ),
        respond: (response) =>
          Effect.gen(function* () {
            const { by, isBelowClaim } = response.request
            if (by === "root" || (!isBelowClaim && (yield* isReady))) return yield* respond(response)
            yield* Ref.update(refusals, (count) => count + 1)
            yield* response.reply.error(resultCodes.resourceUnavailable, "Backfilling")
          })
      }
    })
}

const refusingSlots = 8
const leastRefusals = 2

/**
 * Honest, and behind: from four epochs ago it climbs eight slots a slot. Its head stands still for six slots of every
 * sixteen, also when it has come to the end. It has nothing beyond its head.
 */
export const syncing: Profile = {
  ...honest,
  depart: (_, { chain, met }) =>
    Effect.gen(function* () {
      const start = yield* chain.state
      const head = yield* Ref.make(Math.max(start.slot - 4 * chain.parameters.slotsPerEpoch, 0))
      const climb = Effect.flatMap(chain.state, ({ slot }) => Ref.update(head, (at) => Math.min(at + 8, slot)))
      const rhythm = Effect.zipRight(
        Effect.repeat(climb, Schedule.intersect(Schedule.spaced(slots(chain, 1)), Schedule.recurs(10))),
        Effect.sleep(slots(chain, 6))
      )
      yield* Effect.forkScoped(Effect.zipRight(met, Effect.forever(rhythm)))
      return {
        view: Effect.zipWith(chain.state, Ref.get(head), (state, slot) => seenFrom(state, blockAtOrBefore(state, slot)))
      }
    })
}
