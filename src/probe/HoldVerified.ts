import { Clock, Effect, Option } from "effect"
import type { PeerId } from "../domain/Primitives.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { type Finished, isPresentable } from "./VerifyDelivered.ts"

/** Gives the live matrix, where there is one, whatever a peer delivered that may be given on; it takes what is recent. */
export const makeHoldVerified = Effect.map(
  Effect.serviceOption(LiveMatrix),
  Option.match({
    onNone: () => () => Effect.void,
    onSome: (matrix) => (from: PeerId, verified: ReadonlyArray<Finished>) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        Effect.forEach(
          verified.filter(isPresentable),
          ({ block: { commitments, root, slot }, column, delivery }) =>
            delivery === undefined
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
