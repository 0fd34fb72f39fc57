import { Clock, Effect, Either } from "effect"
import { describe } from "../domain/probe/Outcome.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { ownMetadata } from "../host/libp2p/OwnMetadata.ts"
import type { Host } from "../host/Host.ts"
import { askOne } from "../host/StandaloneExterns.ts"
import { decodeUint64, pingRequest } from "../wire/Handshake.ts"
import type { PingSaid } from "../domain/scan/ScanReport.ts"

/**
 * Pings a connected peer a few times. Two at once and one more in each five seconds is what the strictest of the clients
 * (Lighthouse, Lodestar) allow.
 */
export const pingPeer = (host: Host["Type"], peerId: PeerId, said: (ping: PingSaid) => void): Effect.Effect<void> =>
  Effect.forEach(
    pauses,
    (pause) => Effect.sleep(pause).pipe(Effect.zipRight(pingOnce(host, peerId)), Effect.map(said)),
    { discard: true }
  )

const pauses = ["0 millis", "500 millis", "5500 millis"] as const

const pingOnce = Effect.fnUntraced(function* (host: Host["Type"], peerId: PeerId) {
  const before = yield* Clock.currentTimeMillis
  const answer = yield* Effect.either(askOne(host, peerId, pingRequest(ownMetadata.sequenceNumber), decodeUint64))
  const ms = (yield* Clock.currentTimeMillis) - before
  const said: PingSaid = Either.match(answer, {
    onLeft: (error) => ({ ms: null, sequenceNumber: null, error: describe(error) }),
    onRight: (sequenceNumber) => ({ ms, sequenceNumber, error: null })
  })
  return said
})
