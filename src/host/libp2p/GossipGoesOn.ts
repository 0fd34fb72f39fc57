import type { Connection, Libp2p } from "@libp2p/interface"
import { Effect, FiberSet, type Scope } from "effect"
import { gossipOver } from "../../wire/gossip/GossipOver.ts"
import type { GossipingNode } from "./Libp2pGossip.ts"

/** Where one of two connections to a peer ends, gossip goes on over the other. Until the scope closes. */
export const watchGossip = (
  node: GossipingNode & Pick<Libp2p, "getConnections">
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<never>()
    const goOn = (ended: Connection) =>
      Effect.sync(() => {
        const left = node.getConnections(ended.remotePeer).find(({ status }) => status === "open")
        if (left !== undefined) gossipOver(node.services.gossip, left)
      })
    const onClose = ({ detail }: CustomEvent<Connection>): void => {
      if (node.getConnections(detail.remotePeer).length > 0) run(Effect.delay(goOn(detail), settle))
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => node.addEventListener("connection:close", onClose)),
      () => Effect.sync(() => node.removeEventListener("connection:close", onClose))
    )
  })

/** By then what was read of the one that ended has ended too. */
const settle = "250 millis"
