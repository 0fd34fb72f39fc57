import { Clock, Effect } from "effect"
import { type ClientFamily, clientFamily } from "../domain/peer/ClientFamily.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { Host } from "../host/Host.ts"

/** What client a connected peer is; `unknown` while it has not said, or is not connected. Looks at all of them at most once a second. */
export const makeClientOf = Effect.map(Host, ({ connected }) => {
  let clients: ReadonlyMap<PeerId, ClientFamily> = new Map()
  let seenAt = -Infinity
  return (peerId: PeerId): Effect.Effect<ClientFamily> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const known = clients.get(peerId)
      if ((known === undefined || known === "unknown") && now - seenAt >= lookAgainMs) {
        seenAt = now
        clients = new Map(
          (yield* connected).map(({ agent, peerId }) => [
            peerId,
            clientFamily(agent._tag === "Some" ? agent.value : null)
          ])
        )
      }
      return clients.get(peerId) ?? "unknown"
    })
})

const lookAgainMs = 1000
