import type { Connection, IdentifyResult, Libp2p, PeerId } from "@libp2p/interface"
import { Array, Chunk, Deferred, Effect, FiberId, Option, PubSub, Queue, type Scope, Stream } from "effect"
import { setNewest } from "../../domain/Bounded.ts"
import { printable } from "../../domain/Text.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { atOnceMs } from "../../wire/Refusal.ts"
import type { ConnectedPeer, HostEvent } from "../Host.ts"
import { connectionThatCounts } from "./OneConnection.ts"

/** Who the node is connected to, who they say they are, and how they left. */
export interface PeerConnections {
  /** `Host.events`. */
  readonly events: Effect.Effect<Stream.Stream<HostEvent>, never, Scope.Scope>
  readonly connected: () => ReadonlyArray<ConnectedPeer>
  /** The open connection to the peer; of several the one that counts. */
  readonly connection: (peerId: string) => Option.Option<Connection>
  readonly describe: (peerId: string, connection: Connection) => ConnectedPeer
  /** Returns when identify has told of the peer, or will not. */
  readonly awaitIdentify: (peerId: string) => Effect.Effect<void>
  readonly noteGoodbye: (peerId: string, code: number) => void
  /** A Goodbye that the peer sent a moment ago, on the connection that it has, or had last. */
  readonly recentGoodbye: (peerId: string) => Option.Option<Goodbye>
  /** Returns when the peer says Goodbye, the next time. */
  readonly nextGoodbye: (peerId: string) => Effect.Effect<void>
  /** The peer said something that only an Ethereum client says. */
  readonly noteHeard: (peerId: string) => void
  /** Whether the peer has identified itself, or said something, since it is connected. */
  readonly isHeard: (peerId: string) => boolean
}

/** A peer's word for why it leaves. */
export interface Goodbye {
  readonly code: number
  /** It came right after identify, before anything that we did could be the reason. */
  readonly atOnce: boolean
}

/** What is used of a libp2p node. */
export type ObservedNode = Pick<
  Libp2p,
  "getConnections" | "addEventListener" | "removeEventListener" | "peerId" | "peerStore"
>

const eventCapacity = 8192
/** Peers of which a Goodbye is remembered, at most, and for how long. */
const maxGoodbyes = 4096
const goodbyeMs = 10_000
/** A Goodbye may still be on its way through our own streams when the connection is closed already. */
const settle = "5 millis"

/** Watches the node until the scope closes. */
export const makePeerConnections = Effect.fnUntraced(function* (node: ObservedNode) {
  const agents = new Map<string, string>()
  const identified = new Map<string, Deferred.Deferred<void>>()
  const identifiedAt = new Map<string, number>()
  const heard = new Set<string>()
  const goodbyes = new Map<string, Goodbye & { readonly at: number }>()
  const waitingForGoodbye = new Map<string, Set<() => void>>()
  /** Peers whose coming was told, or needs not be. */
  const told = new Set<string>()
  const changes = yield* Queue.sliding<{ readonly peerId: string; readonly up: boolean }>(eventCapacity)
  const hub = yield* PubSub.sliding<HostEvent>(eventCapacity)

  /** Those that the node has a connection to: it looks among all of them unless it is asked with its own kind of id. */
  const present = new Map<string, PeerId>()
  const openConnections = () => node.getConnections().filter(({ status }) => status === "open")
  const self = node.peerId.toString()
  const connection = (peerId: string): Option.Option<Connection> => {
    const id = present.get(peerId)
    if (id === undefined) return Option.none()
    return connectionThatCounts(
      self,
      node.getConnections(id).filter(({ status }) => status === "open")
    )
  }
  /** Unix milliseconds; 0 without a connection. */
  const openedAt = (peerId: string): number =>
    Option.match(connection(peerId), { onNone: () => 0, onSome: ({ timeline }) => timeline.open })
  const describe = (peerId: string, connection: Connection): ConnectedPeer => ({
    peerId,
    address: connection.remoteAddr.toString(),
    agent: Option.fromNullable(agents.get(peerId))
  })
  const goodbyeSince = (peerId: string, sinceMs: number): Option.Option<Goodbye> => {
    const said = goodbyes.get(peerId)
    return said !== undefined && said.at >= Math.max(sinceMs, Date.now() - goodbyeMs)
      ? Option.some(said)
      : Option.none()
  }

  /** What a change comes to when it is looked at: a peer that left and is back, or the other way round, is as it is. */
  const translate = (peerId: string, up: boolean): Option.Option<HostEvent> => {
    if (up) {
      if (told.has(peerId)) return Option.none()
      return Option.map(connection(peerId), (connection) => {
        const peer = describe(peerId, connection)
        told.add(peerId)
        return { _tag: "Connected", peer }
      })
    }
    if (!told.delete(peerId)) return Option.none()
    return Option.some({
      _tag: "Disconnected",
      peerId,
      goodbye: Option.map(goodbyeSince(peerId, 0), ({ code }) => code)
    })
  }
  const tell = (changes: Iterable<{ readonly peerId: string; readonly up: boolean }>) =>
    Effect.suspend(() =>
      PubSub.publishAll(
        hub,
        Array.filterMap(changes, ({ peerId, up }) => translate(peerId, up))
      )
    )
  const tellChanges = Effect.gen(function* () {
    const batch = yield* changes.takeBetween(1, 256)
    if (Chunk.some(batch, ({ up }) => !up)) yield* Effect.sleep(settle)
    yield* tell(batch)
  })
  /** Where what changed was lost, with a defect, what is tells it. */
  const tellLost = Effect.suspend(() => {
    const open = new Set(openConnections().map(({ remotePeer }) => remotePeer.toString()))
    const gone = [...told].filter((peerId) => !open.has(peerId))
    return tell([
      ...gone.map((peerId) => ({ peerId, up: false })),
      ...[...open].map((peerId) => ({ peerId, up: true }))
    ])
  })

  const identifiedOf = (peerId: string): Deferred.Deferred<void> => {
    const known = identified.get(peerId) ?? Deferred.unsafeMake<void>(FiberId.none)
    identified.set(peerId, known)
    return known
  }
  const onConnect = ({ detail }: CustomEvent<PeerId>): void => {
    const peerId = detail.toString()
    present.set(peerId, detail)
    identifiedOf(peerId)
    changes.unsafeOffer({ peerId, up: true })
  }
  const onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    const peerId = detail.toString()
    present.delete(peerId)
    const waiting = identified.get(peerId)
    if (waiting !== undefined) Deferred.unsafeDone(waiting, Effect.void)
    identified.delete(peerId)
    identifiedAt.delete(peerId)
    heard.delete(peerId)
    agents.delete(peerId)
    changes.unsafeOffer({ peerId, up: false })
  }
  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    const peerId = detail.peerId.toString()
    if (Option.isNone(connection(peerId))) return
    heard.add(peerId)
    if (!identifiedAt.has(peerId)) identifiedAt.set(peerId, Date.now())
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
  for (const { remotePeer } of openConnections()) {
    const peerId = remotePeer.toString()
    present.set(peerId, remotePeer)
    told.add(peerId)
    heard.add(peerId)
    const stored = yield* Effect.option(Effect.tryPromise(() => node.peerStore.get(remotePeer)))
    const agent = Option.flatMapNullable(stored, (peer) => peer.metadata.get("AgentVersion"))
    if (Option.isSome(agent)) agents.set(peerId, agentOf(Buffer.from(agent.value).toString("utf8")))
    Deferred.unsafeDone(identifiedOf(peerId), Effect.void)
  }
  yield* daemon("the watch over peer connections", Effect.zipRight(tellLost, Effect.forever(tellChanges)))

  const connections: PeerConnections = {
    events: Stream.fromPubSub(hub, { scoped: true }),
    connected: () => {
      const peers = new Map<string, ConnectedPeer>()
      for (const connection of openConnections()) {
        const peerId = connection.remotePeer.toString()
        if (!peers.has(peerId)) peers.set(peerId, describe(peerId, connection))
      }
      return [...peers.values()]
    },
    connection,
    describe,
    awaitIdentify: (peerId) => {
      const waiting = identified.get(peerId)
      return waiting === undefined ? Effect.void : Deferred.await(waiting)
    },
    noteGoodbye: (peerId, code) => {
      const at = Date.now()
      const since = identifiedAt.get(peerId) ?? openedAt(peerId)
      setNewest(goodbyes, peerId, { code, at, atOnce: at - since < atOnceMs }, maxGoodbyes)
      waitingForGoodbye.get(peerId)?.forEach((tell) => tell())
    },
    recentGoodbye: (peerId) => goodbyeSince(peerId, openedAt(peerId)),
    nextGoodbye: (peerId) =>
      Effect.async<void>((resume) => {
        const waiting = waitingForGoodbye.get(peerId) ?? new Set<() => void>()
        const leave = (): void => {
          if (waiting.delete(tell) && waiting.size === 0) waitingForGoodbye.delete(peerId)
        }
        const tell = (): void => {
          leave()
          resume(Effect.void)
        }
        waitingForGoodbye.set(peerId, waiting.add(tell))
        return Effect.sync(leave)
      }),
    noteHeard: (peerId) => {
      if (Option.isSome(connection(peerId))) heard.add(peerId)
    },
    isHeard: (peerId) => heard.has(peerId)
  }
  return connections
})

/** What a stranger calls itself, as at most 128 printable characters. */
const agentOf = (said: string): string => printable(said, 128).trim()
