import type { Connection } from "@libp2p/interface"
import { Effect, type Scope } from "effect"
import type { PeerContext } from "../Profile.ts"

/**
 * Gives whoever is banned and comes again the same Goodbye once more, a moment after it came, as clients do; `visit` runs
 * for everybody else.
 */
export const visitedUnlessBanned = (
  { dismiss, ledger, visited }: PeerContext,
  code: number,
  visit: (connection: Connection) => Effect.Effect<void>
): Effect.Effect<void, never, Scope.Scope> =>
  visited((connection) =>
    Effect.suspend(() => {
      const peerId = connection.remotePeer.toString()
      return Effect.if(ledger.isBanned(peerId), {
        onTrue: () =>
          Effect.zipRight(
            ledger.count("visits of the banned"),
            Effect.delay(dismiss(peerId, code, "is banned"), banDelay)
          ),
        onFalse: () => visit(connection)
      })
    })
  )

/** Bans for good, and says Goodbye; once, however many reasons there are. */
export const ban = (
  { dismiss, ledger }: PeerContext,
  peerId: string,
  code: number,
  reason: string
): Effect.Effect<void> =>
  Effect.unlessEffect(
    Effect.zipRight(ledger.ban(peerId, reason), dismiss(peerId, code, reason)),
    ledger.isBanned(peerId)
  ).pipe(Effect.asVoid)

/** The Goodbye of Lighthouse to whom it has just banned. */
export const noReason = 0

/** Between the decision and the Goodbye, as seen of Lighthouse. */
const banDelay = "150 millis"
