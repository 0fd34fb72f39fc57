import type { Connection, IdentifyResult, Libp2p, PeerId } from "@libp2p/interface"
import { Chunk, Deferred, Effect, FiberId, Option, PubSub, Queue, type Scope, Stream } from "effect"
import type { ConnectedPeer, HostEvent } from "../Host.ts"
import { printable } from "../../domain/Text.ts"

/** Who the node is connected to, who they say they are, and how they left. */
export interface Links {
  /** Comings and goings from the moment that this effect returns. */
  readonly events: Effect.Effect<Stream.Stream<HostEvent>, never, Scope.Scope>
  readonly connected: () => ReadonlyArray<ConnectedPeer>
  /** An open connection to the peer. */
  readonly connection: (peerId: string) => Connection | undefined
  readonly describe: (peerId: string, connection: Connection) => ConnectedPeer
  /** Returns when identify has told of the peer, or will not. */
  readonly awaitIdentify: (peerId: string) => Effect.Effect<void>
  /** Takes note of a Goodbye. */
  readonly farewell: (peerId: string, code: number) => void
  /** The code of a Goodbye that the peer sent a moment ago, on the connection that it has, or had last. */
  readonly goodbye: (peerId: string) => number | undefined
}

/** What is used of a libp2p node. */
export type LinkedNode = Pick<Libp2p, "getConnections" | "addEventListener" | "removeEventListener" | "peerStore">

const eventCapacity = 8192
/** Peers of which a Goodbye is remembered, at most, and for how long. */
const maxGoodbyes = 4096
const goodbyeMs = 10_000
/** A Goodbye may still be on its way through our own streams when the connection is closed already. */
const settle = "5 millis"

/** Watches the node until the scope closes. */
export const makeLinks = Effect.fnUntraced(function* (node: LinkedNode) {
  const agents = new Map<string, string>()
  const identified = new Map<string, Deferred.Deferred<void>>()
  const goodbyes = new Map<string, { readonly code: number; readonly at: number }>()
  const told = new Set<string>()
  const happened = yield* Queue.sliding<{ readonly peer: PeerId; readonly up: boolean }>(eventCapacity)
  const hub = yield* PubSub.sliding<HostEvent>(eventCapacity)

  const connectionTo = (peerId: string): Connection | undefined =>
    node.getConnections().find((connection) => isOpen(connection) && connection.remotePeer.toString() === peerId)
  const describe = (peerId: string, connection: Connection): ConnectedPeer => ({
    peerId,
    address: connection.remoteAddr.toString(),
    agent: agents.get(peerId)
  })
  const goodbye = (peerId: string): number | undefined => {
    const said = goodbyes.get(peerId)
    const since = connectionTo(peerId)?.timeline.open ?? 0
    return said !== undefined && said.at >= Math.max(since, Date.now() - goodbyeMs) ? said.code : undefined
  }

  /** What an event comes to when it is looked at: a peer that left and is back, or the other way round, is as it is. */
  const translate = (peerId: string, up: boolean): Option.Option<HostEvent> => {
    if (up) {
      const connection = connectionTo(peerId)
      if (connection === undefined) return Option.none()
      told.add(peerId)
      return Option.some({ _tag: "Connected", peer: describe(peerId, connection) })
    }
    if (!told.delete(peerId)) return Option.none()
    const said = goodbyes.get(peerId)
    const code = said !== undefined && said.at >= Date.now() - goodbyeMs ? said.code : undefined
    return Option.some({ _tag: "Disconnected", peerId, goodbye: code })
  }
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.gen(function* () {
        const batch = yield* happened.takeBetween(1, 256)
        if (Chunk.some(batch, ({ up }) => !up)) yield* Effect.sleep(settle)
        const events = Chunk.filterMap(batch, ({ peer, up }) => translate(peer.toString(), up))
        yield* PubSub.publishAll(hub, events)
      })
    )
  )

  const identifiedOf = (peerId: string): Deferred.Deferred<void> => {
    const known = identified.get(peerId) ?? Deferred.unsafeMake<void>(FiberId.none)
    identified.set(peerId, known)
    return known
  }
  const onConnect = ({ detail: peer }: CustomEvent<PeerId>): void => {
    identifiedOf(peer.toString())
    happened.unsafeOffer({ peer, up: true })
  }
  const onDisconnect = ({ detail: peer }: CustomEvent<PeerId>): void => {
    const peerId = peer.toString()
    const waiting = identified.get(peerId)
    if (waiting !== undefined) Deferred.unsafeDone(waiting, Effect.void)
    identified.delete(peerId)
    agents.delete(peerId)
    happened.unsafeOffer({ peer, up: false })
  }
  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    const peerId = detail.peerId.toString()
    if (connectionTo(peerId) === undefined) return
    if (detail.agentVersion !== undefined) agents.set(peerId, agentOf(detail.agentVersion))
    Deferred.unsafeDone(identifiedOf(peerId), Effect.void)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      node.addEventListener("peer:connect", onConnect)
      node.addEventListener("peer:disconnect", onDisconnect)
      node.addEventListener("peer:identify", onIdentify)
    }),
    () =>
      Effect.sync(() => {
        node.removeEventListener("peer:connect", onConnect)
        node.removeEventListener("peer:disconnect", onDisconnect)
        node.removeEventListener("peer:identify", onIdentify)
      })
  )
  // Those who were there before us.
  for (const connection of node.getConnections()) {
    const peerId = connection.remotePeer.toString()
    told.add(peerId)
    const stored = yield* Effect.option(Effect.tryPromise(() => node.peerStore.get(connection.remotePeer)))
    const agent = Option.flatMapNullable(stored, (peer) => peer.metadata.get("AgentVersion"))
    if (Option.isSome(agent)) agents.set(peerId, agentOf(Buffer.from(agent.value).toString("utf8")))
    Deferred.unsafeDone(identifiedOf(peerId), Effect.void)
  }

  const links: Links = {
    events: Stream.fromPubSub(hub, { scoped: true }),
    connected: () => {
      const peers = new Map<string, ConnectedPeer>()
      for (const connection of node.getConnections()) {
        const peerId = connection.remotePeer.toString()
        if (isOpen(connection) && !peers.has(peerId)) peers.set(peerId, describe(peerId, connection))
      }
      return [...peers.values()]
    },
    connection: connectionTo,
    describe,
    awaitIdentify: (peerId) => {
      const waiting = identified.get(peerId)
      return waiting === undefined ? Effect.void : Deferred.await(waiting)
    },
    farewell: (peerId, code) => {
      goodbyes.delete(peerId)
      goodbyes.set(peerId, { code, at: Date.now() })
      for (const oldest of goodbyes.keys()) {
        if (goodbyes.size <= maxGoodbyes) break
        goodbyes.delete(oldest)
      }
    },
    goodbye
  }
  return links
})

const isOpen = (connection: Connection): boolean => connection.status === "open"

/** What a stranger calls itself, as at most 128 printable characters. */
const agentOf = (said: string): string => printable(said, 128).trim()
