import { Effect } from "effect"

/**
 * Whether there is a connection to the peer, as far as the actor has heard: from the host's events, and from what it
 * runs into itself.
 */
export interface PeerLink {
  readonly isUp: () => boolean
  readonly set: (up: boolean) => void
  /** Returns while, or as soon as, there is a connection. */
  readonly untilUp: Effect.Effect<void>
  /** Returns while, or as soon as, there is none. */
  readonly untilDown: Effect.Effect<void>
}

export const makePeerLink: Effect.Effect<PeerLink> = Effect.gen(function* () {
  const up = yield* Effect.makeLatch(false)
  const down = yield* Effect.makeLatch(true)
  let isUp = false
  return {
    isUp: () => isUp,
    set: (next) => {
      isUp = next
      const [open, closed] = next ? [up, down] : [down, up]
      closed.unsafeClose()
      open.unsafeOpen()
    },
    untilUp: up.await,
    untilDown: down.await
  }
})
