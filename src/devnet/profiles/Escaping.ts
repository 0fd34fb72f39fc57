import { Clock, Effect, Ref } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { custodyRequirement } from "../../domain/network/Chain.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import { sendAll } from "./HonestConduct.ts"
import { honest } from "./Honest.ts"
import type { PeerClaim, Profile } from "./Profile.ts"
import { inSlots } from "./SlotTime.ts"
import { withhold } from "./Withholding.ts"

/**
 * Dishonest: lacks half of its columns. Whenever it has left something out it does not answer Status for six slots, by an
 * error or by silence, so that nobody can tell whether it still claims what it lacks.
 */
export const escapeStatus: Profile = {
  ...honest,
  depart: (conduct, peer) =>
    Effect.gen(function* () {
      const { chain, random } = peer
      const hidesUntil = yield* Ref.make(0)
      return {
        ...(yield* withhold.depart(conduct, peer)),
        respond: (response) =>
          Effect.gen(function* () {
            if (response.lacking.length > 0) yield* Ref.set(hidesUntil, yield* inSlots(chain, 6))
            yield* conduct.respond(response)
          }),
        greet: ({ reply, send }) =>
          Effect.gen(function* () {
            if ((yield* Clock.currentTimeMillis) >= (yield* Ref.get(hidesUntil))) return yield* send
            yield* random.chance(0.5) ? reply.error(resultCodes.serverError, "status unavailable") : Effect.never
          })
      }
    })
}

/**
 * Dishonest: lacks half of its columns. By range it leaves them out; by root, which would settle it, it has a server error
 * after what it does have.
 */
export const escapeRoot: Profile = {
  ...honest,
  depart: (conduct, peer) =>
    Effect.map(withhold.depart(conduct, peer), (withheld) => ({
      ...withheld,
      respond: (response) =>
        response.request.by === "root" && response.lacking.length > 0
          ? Effect.zipRight(sendAll(response), response.reply.error(resultCodes.serverError, "internal error"))
          : conduct.respond(response)
    }))
}

/** Dishonest: the same, but it resets the stream or closes the connection. */
export const escapeHangup: Profile = {
  ...honest,
  depart: (conduct, peer) =>
    Effect.map(withhold.depart(conduct, peer), (withheld) => ({
      ...withheld,
      respond: (response) => {
        const { lacking, reply, request } = response
        if (request.by === "range" || lacking.length === 0) return conduct.respond(response)
        return peer.random.chance(0.5) ? reply.reset : Effect.zipRight(peer.hangUp(request.peerId), Effect.never)
      }
    }))
}

/**
 * Dishonest: keeps the columns of 4 groups and claims 8. When it has left something out it claims for six slots that its
 * history begins later, or that it keeps 4 groups; then it claims it all again.
 */
export const movingClaim: Profile = {
  custodyGroupCount: () => 8,
  depart: (conduct, { chain, nodeId, random }) =>
    Effect.gen(function* () {
      const kept = new Set(custodyColumns(nodeId, custodyRequirement))
      const moved = yield* Ref.make<MovedClaim>({ claim: {}, until: 0, shrinkings: 0 })
      const shrink = ({ shrinkings }: MovedClaim): Omit<MovedClaim, "until"> => ({
        claim: { custodyGroupCount: custodyRequirement, sequenceNumber: 2 * (shrinkings + 1) },
        shrinkings: shrinkings + 1
      })
      return {
        claim: Effect.gen(function* () {
          const full = yield* conduct.claim
          const { claim, shrinkings, until } = yield* Ref.get(moved)
          const isMoved = (yield* Clock.currentTimeMillis) < until
          return { ...full, sequenceNumber: 1 + 2 * shrinkings, ...(isMoved ? claim : {}) }
        }),
        stored: Effect.succeed(({ column }) => kept.has(column)),
        respond: (response) =>
          Effect.gen(function* () {
            yield* conduct.respond(response)
            if (response.lacking.length === 0) return
            const until = yield* inSlots(chain, 6)
            const above = 1 + Math.max(...response.lacking.map(({ block }) => block.slot))
            yield* Ref.update(moved, (before) => ({
              ...(random.chance(0.5)
                ? { claim: { earliestAvailableSlot: above }, shrinkings: before.shrinkings }
                : shrink(before)),
              until
            }))
          })
      }
    })
}

interface MovedClaim {
  readonly claim: Partial<PeerClaim>
  /** Unix milliseconds. */
  readonly until: number
  /** How often it has claimed fewer groups: MetaData seq_number counts each way. */
  readonly shrinkings: number
}
