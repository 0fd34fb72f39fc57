import { Effect, Ref } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import type { PeerClaim, Profile } from "./Profile.ts"

/**
 * Honest. Between 10 and 20 slots after its start validators come to it: it keeps 8 groups from then on, not 4. It has
 * the new columns from that slot on only, says so, and does not serve what is older.
 */
export const fresh: Profile = {
  custodyGroupCount: () => 4,
  depart: (honest, { chain, nodeId, random }) =>
    Effect.gen(function* () {
      const grown = yield* Ref.make<PeerClaim | undefined>(undefined)
      const claim = Effect.flatMap(Ref.get(grown), (claim) =>
        claim === undefined ? honest.claim : Effect.succeed(claim)
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
          return (_state, slot, column) => slot >= earliestAvailableSlot && columns.has(column)
        })
      }
    })
}
