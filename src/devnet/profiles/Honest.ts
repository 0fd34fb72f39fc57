import { Effect, Ref, Schedule } from "effect"
import { numberOfCustodyGroups } from "../../domain/network/Chain.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import type { PeerClaim, Profile } from "./Profile.ts"

/** Honest: keeps what it claims and responds as the specification says. */
export const honest: Profile = {
  custodyGroupCount: (random) => 4 + random.below(5),
  depart: () => Effect.succeed({})
}

/** Honest, and keeps all columns. */
export const supernode: Profile = {
  custodyGroupCount: () => numberOfCustodyGroups,
  depart: () => Effect.succeed({})
}

/** Honest, and as brief as the specification allows: all columns of the first block that has any, and no more. */
export const truncate: Profile = {
  ...honest,
  depart: () => Effect.succeed({ select: (items) => items.filter((item) => item.block === items[0]?.block) })
}

/** Honest, but drops all its connections every 12 to 15 seconds. It can be dialled again at once. */
export const flap: Profile = {
  ...honest,
  depart: (_, { dropAll, random }) =>
    dropAll.pipe(Effect.schedule(Schedule.spaced(12_000 + random.below(3_000))), Effect.forkScoped, Effect.as({}))
}

/**
 * Honest. Between 10 and 20 slots after its start validators come to it: it keeps 8 groups from then on, not 4. It has
 * the new columns from that slot on only, says so, and does not serve what is older.
 */
export const fresh: Profile = {
  custodyGroupCount: () => 4,
  depart: (conduct, { chain, nodeId, random }) =>
    Effect.gen(function* () {
      const grown = yield* Ref.make<PeerClaim | undefined>(undefined)
      const claim = Effect.flatMap(Ref.get(grown), (claim) =>
        claim === undefined ? conduct.claim : Effect.succeed(claim)
      )
      const grow = Effect.gen(function* () {
        const { head } = yield* chain.state
        yield* Ref.set(grown, { custodyGroupCount: 8, sequenceNumber: 2, earliestAvailableSlot: head.slot })
      })
      yield* Effect.forkScoped(Effect.delay(grow, (10 + random.below(11)) * chain.parameters.slotDurationMs))
      return {
        claim,
        stored: Effect.map(claim, ({ custodyGroupCount, earliestAvailableSlot }) => {
          const columns = new Set(custodyColumns(nodeId, custodyGroupCount))
          return ({ block, column }) => block.slot >= earliestAvailableSlot && columns.has(column)
        })
      }
    })
}
