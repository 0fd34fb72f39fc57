import { Effect, type Scope } from "effect"
import type { PeerContext } from "../Profile.ts"

/** What a peer keeps of each of its guests: made when it is first needed, and forgotten when a connection to the guest goes. */
export const perGuest = <A>(
  { visited }: PeerContext,
  make: () => A
): Effect.Effect<(peerId: string) => A, never, Scope.Scope> => {
  const kept = new Map<string, A>()
  return Effect.as(
    visited((connection) =>
      Effect.ensuring(
        Effect.never,
        Effect.sync(() => kept.delete(connection.remotePeer.toString()))
      )
    ),
    (peerId) => {
      const own = kept.get(peerId) ?? make()
      kept.set(peerId, own)
      return own
    }
  )
}
