import { Effect } from "effect"
import type { EventBody, NodeTracking } from "../domain/Event.ts"
import { EventBus } from "../events/EventBus.ts"
import { type PeerState, verdict, viewOf } from "./PeerState.ts"

/** What is known of one peer, and all that is told of it. Its actor alone writes to it. */
export interface PeerJournal {
  readonly state: () => PeerState
  /** Starts with this state, and tells that the peer is tracked from here on. */
  readonly begin: (state: PeerState, detail: string) => Effect.Effect<void>
  readonly hasBegun: () => boolean
  /**
   * Changes the state and tells of it in one synchronous step, so that a snapshot holds both or neither; a verdict that
   * changes with it is told last. What is to be on disk is recorded by the caller after this, in its own time.
   */
  readonly enter: (entry: JournalEntry) => Effect.Effect<PeerState>
}

interface JournalEntry {
  readonly change?: (state: PeerState) => PeerState
  /** What is told, given the state as it is then. */
  readonly events?: (after: PeerState) => ReadonlyArray<EventBody>
  /** What else belongs to the same step. */
  readonly also?: () => void
}

export const makePeerJournal = (initial: PeerState): Effect.Effect<PeerJournal, never, EventBus> =>
  Effect.map(EventBus, (bus) => {
    let state = initial
    let hasBegun = false
    return {
      state: () => state,
      hasBegun: () => hasBegun,
      begin: (begun, detail) =>
        bus.inOneStep(({ tell }) => {
          state = begun
          hasBegun = true
          tell(tracking(state, "tracked", detail))
        }),
      enter: ({ also, change, events }) =>
        bus.inOneStep(({ tell }) => {
          const before = verdict(state)
          state = change?.(state) ?? state
          also?.()
          for (const event of events?.(state) ?? []) tell(event)
          if (verdict(state) !== before) {
            const { lastFailure } = viewOf(state)
            const why = lastFailure === null ? "" : `: ${lastFailure}`
            tell(tracking(state, "verdict", `${before} → ${verdict(state)}${why}`))
          }
          return state
        })
    }
  })

/** The event that something happened to the peer; `detail` is a sentence for a person. */
export const tracking = (state: PeerState, change: NodeTracking["change"], detail: string): NodeTracking => ({
  _tag: "NodeTracking",
  peerId: state.address.peerId,
  change,
  detail,
  peer: viewOf(state)
})
