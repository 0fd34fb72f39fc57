import { Effect, Ref } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { honest } from "./Honest.ts"
import type { PeerClaim, Profile } from "./Profile.ts"
import { slots } from "./SlotTime.ts"

/**
 * Honest, and validators come to it soon after somebody has connected: it keeps 4 groups, then 8, then 12. It has the new
 * columns from the next slot on only. Its earliest slot follows late: at first it stays, then it is one slot too early, and
 * at last it is right.
 */
export const growing: Profile = {
  ...honest,
  custodyGroupCount: () => firstCount,
  depart: (conduct, { chain, met, nodeId, random }) =>
    Effect.gen(function* () {
      const claimed = yield* Ref.make<Partial<PeerClaim>>({})
      const kept = yield* Ref.make([{ columns: new Set(custodyColumns(nodeId, firstCount)), from: 0 }])
      /** The first slot of which it has them. */
      const keep = (custodyGroupCount: number) =>
        Effect.gen(function* () {
          const from = (yield* chain.state).slot + 1
          const columns = new Set(custodyColumns(nodeId, custodyGroupCount))
          yield* Ref.update(kept, (all) => [...all, { columns, from }])
          return from
        })
      const grow = Effect.gen(function* () {
        yield* met
        yield* Effect.sleep(slots(chain, 4 + random.below(3)))
        yield* keep(8)
        yield* Ref.set(claimed, { custodyGroupCount: 8, sequenceNumber: 2 })
        yield* Effect.sleep(slots(chain, 8))
        const from = yield* keep(12)
        const twelve = { custodyGroupCount: 12, sequenceNumber: 3 }
        yield* Ref.set(claimed, { ...twelve, earliestAvailableSlot: from - 1 })
        yield* Effect.sleep(slots(chain, 8))
        yield* Ref.set(claimed, { ...twelve, earliestAvailableSlot: from })
      })
      yield* Effect.forkScoped(grow)
      return {
        claim: Effect.zipWith(conduct.claim, Ref.get(claimed), (first, now) => ({ ...first, ...now })),
        stored: Effect.map(
          Ref.get(kept),
          (all) =>
            ({ block, column }) =>
              all.some(({ columns, from }) => block.slot >= from && columns.has(column))
        )
      }
    })
}

const firstCount = 4
