import type { IdentifyResult, Libp2p, PeerId } from "@libp2p/interface"
import { Effect, type Scope } from "effect"
import { printable } from "../../domain/Text.ts"
import type { Identified } from "../Identified.ts"

/** Keeps what connected peers say that they offer, until the scope closes. */
export const watchIdentify = (
  node: Pick<Libp2p, "addEventListener" | "removeEventListener" | "getConnections">
): Effect.Effect<Identified["Type"], never, Scope.Scope> => {
  const known = new Map<string, ReadonlyArray<string>>()
  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    // It is told of once all is noted, and the peer may have left meanwhile: nobody would say so again.
    if (node.getConnections(detail.peerId).length === 0) return
    const protocols = detail.protocols.slice(0, mostProtocols).map((protocol) => printable(protocol, longest))
    known.set(detail.peerId.toString(), protocols)
  }
  const onLeave = ({ detail }: CustomEvent<PeerId>): void => void known.delete(detail.toString())
  return Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => {
        node.addEventListener("peer:identify", onIdentify)
        node.addEventListener("peer:disconnect", onLeave)
      }),
      () =>
        Effect.sync(() => {
          node.removeEventListener("peer:identify", onIdentify)
          node.removeEventListener("peer:disconnect", onLeave)
        })
    ),
    { protocolsOf: (peerId) => known.get(peerId) ?? [] }
  )
}

/** Clients offer some thirty. */
const mostProtocols = 64
const longest = 128
