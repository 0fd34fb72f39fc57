import { Clock, Effect, Option } from "effect"
import type { PeerId } from "../domain/Primitives.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** Gives the live matrix, where there is one, whatever a peer delivered that was verified; it takes what is recent. */
export const makeHoldVerified = Effect.map(
  Effect.serviceOption(LiveMatrix),
  Option.match({
    onNone: () => () => Effect.void,
    onSome: (matrix) => (from: PeerId, verified: ReadonlyArray<Finished>) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        Effect.forEach(
          verified,
          ({ block: { commitments, root, slot }, column, delivery, error }) =>
            delivery === undefined || Option.isSome(error)
              ? Effect.void
              : matrix.hold({
                  block: { root, slot, blobs: commitments.length },
                  column,
                  fork: delivery.sidecar.fork,
                  ssz: delivery.sidecar.ssz,
                  source: "request",
                  at,
                  from
                }),
          { discard: true }
        )
      )
  })
)
