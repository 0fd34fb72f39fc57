import { Effect } from "effect"
import type { PeerJournal } from "../peers/PeerJournal.ts"
import type { PeerState } from "../peers/PeerState.ts"

/** What is known of one peer, of which nobody is told: a scan says it all at its end. */
export const makeQuietJournal = (initial: PeerState): PeerJournal => {
  let state = initial
  return {
    state: () => state,
    hasBegun: () => true,
    begin: (begun) =>
      Effect.sync(() => {
        state = begun
      }),
    enter: ({ also, change }) =>
      Effect.sync(() => {
        state = change?.(state) ?? state
        also?.()
        return state
      })
  }
}
