import "../../wire/Polyfill.ts"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type { Libp2p } from "@libp2p/interface"
import { peerIdFromString } from "@libp2p/peer-id"
import { Context, Duration, Effect, Either, FiberSet, Layer, Option, type Scope, Stream } from "effect"
import { PeerDisconnected, type PeerRefused, type RequestError } from "../../domain/probe/Outcome.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { request, type RequestLimits } from "../../wire/Client.ts"
import { goodbyeCodes, goodbyeRefusal } from "../../wire/Refusal.ts"
import { goodbyeRequest, type StatusMessage } from "../../wire/Handshake.ts"
import type { RequestMessage } from "../../wire/Message.ts"
import { makeNode, type NodeError } from "../../wire/Node.ts"
import type { NodeMetrics } from "../../wire/NodeMetrics.ts"
import { loadQuic, type Quic, type QuicUnavailable } from "../../wire/quic/LoadQuic.ts"
import { Gossip } from "../Gossip.ts"
import { type DialError, Host } from "../Host.ts"
import { Identified } from "../Identified.ts"
import type { CustodySeat } from "./CustodySeat.ts"
import { makeDialBudget } from "./DialBudget.ts"
import { makeDialOrder } from "./DialOrder.ts"
import { dialPeer } from "./DialPeer.ts"
import { type IdentityError, loadIdentity } from "./HostIdentity.ts"
import { watchGossip } from "./GossipGoesOn.ts"
import { type Hearing, serveProtocols } from "./HostServer.ts"
import { loadMetadata, metadataFileOf, type OwnMetadata, ownMetadata } from "./OwnMetadata.ts"
import { makeGossip, makeJoinedTopics } from "./Libp2pGossip.ts"
import { type Manners, watchManners } from "./Manners.ts"
import { watchDuplicates } from "./OneConnection.ts"
import { makePeerConnections, type ObservedNode, type PeerConnections } from "./PeerConnections.ts"
import { makeRequestPermits } from "./RequestPermits.ts"
import { watchIdentify } from "./WatchIdentify.ts"

export interface Libp2pHostOptions {
  /** The version of the program, for the agent string. */
  readonly version: string
  /** What we call ourselves to peers; `dasmon/<version>` if left out. */
  readonly agent?: string | undefined
  /** What we say of ourselves when a peer asks, at that moment. */
  readonly status: Effect.Effect<StatusMessage>
  /**
   * Holds our private key, and is made if there is none; what our metadata said last is kept beside it. Without it every
   * start is a new identity.
   */
  readonly identityFile?: string | undefined
  /** Multiaddrs, of TCP and QUIC; a free port of 127.0.0.1, of TCP, if left out. */
  readonly listen?: ReadonlyArray<string> | undefined
  /** The module for QUIC; `loadQuic` if left out. */
  readonly quic?: Effect.Effect<Quic, QuicUnavailable> | undefined
  /** Measures what the node does; nothing is measured if left out. */
  readonly metrics?: NodeMetrics | undefined
  /** Of those who come to us; by default a minute to say something, 256 streams, and ten seconds for a second connection. */
  readonly manners?: Manners | undefined
  /** With it the node says that it keeps columns, and serves what its custodian has; `status` has to say so too. */
  readonly custody?: CustodySeat | undefined
}

/** A node of our own: it serves what a peer must, and says Goodbye and stops with the scope. */
export const make = (options: Libp2pHostOptions) => Effect.map(makeWithGossip(options), Context.get(Host))

/** The same, with its gossip. */
export const makeWithGossip = Effect.fnUntraced(function* (options: Libp2pHostOptions) {
  const privateKey =
    options.identityFile === undefined
      ? undefined
      : yield* Effect.provide(loadIdentity(options.identityFile), NodeFileSystem.layer)
  const { custodyGroupCount } = options.custody ?? ownMetadata
  const metadata =
    options.identityFile === undefined
      ? { ...ownMetadata, custodyGroupCount }
      : yield* Effect.provide(
          loadMetadata(metadataFileOf(options.identityFile), { custodyGroupCount }),
          NodeFileSystem.layer
        )
  const quic = yield* Effect.either(options.quic ?? loadQuic)
  if (Either.isLeft(quic)) yield* Effect.logWarning(quic.left.message)
  const joined = makeJoinedTopics()
  const node = yield* makeNode({
    quic,
    agent: options.agent ?? `dasmon/${options.version}`,
    // Beyond it libp2p closes the newest: the dials that are under way when ours is reached may still succeed.
    maxConnections: maxConnections + dialsAtOnce,
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(options.listen === undefined ? {} : { listen: options.listen }),
    gossip: joined.rules,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics })
  })
  const gossip = yield* makeGossip(node, joined)
  yield* watchGossip(node)
  const identified = yield* watchIdentify(node)
  const host = yield* fromNode(node, {
    serve: options.status,
    metadata,
    custody: options.custody,
    maxConnections,
    manners: options.manners ?? manners
  })
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(host.connected, (peers) =>
      Effect.forEach(peers, ({ peerId }) => host.disconnect(peerId, goodbyeCodes.shutdown), {
        concurrency: "unbounded",
        discard: true
      })
    ).pipe(Effect.interruptible, Effect.disconnect, Effect.timeoutOption("1 second"))
  )
  return Context.make(Host, host).pipe(Context.add(Gossip, gossip), Context.add(Identified, identified))
})

export const layer = (options: Libp2pHostOptions): Layer.Layer<Host | Gossip | Identified, NodeError | IdentityError> =>
  Layer.scopedContext(makeWithGossip(options))

/** What is used of a libp2p node that someone else runs. */
export type HostNode = ObservedNode &
  Pick<Libp2p, "peerId" | "status" | "getMultiaddrs" | "dial" | "hangUp" | "handle" | "unhandle">

export interface FromNodeOptions {
  /** Serve Status (this one), Ping, MetaData and Goodbye on the node too; left out, its owner does that. */
  readonly serve?: Effect.Effect<StatusMessage> | undefined
  /** What MetaData says then; `ownMetadata` if left out. */
  readonly metadata?: OwnMetadata | undefined
  /** Who serves columns then; nobody if left out. */
  readonly custody?: CustodySeat | undefined
  /** With so many connections, of both directions, nobody is dialled; what the node itself allows, at most. */
  readonly maxConnections?: number | undefined
  /** Connections that others opened and that do not keep to this, and second ones to a peer, are closed; left out, none is. */
  readonly manners?: Manners | undefined
}

/**
 * The host over a node that is running. The node is not stopped, and its connections are not closed, with the scope.
 * Its `maxParallelDials` should be above 50, or peers wait in its queue on their own time; and QUIC is tried first only
 * where its `addressSorter` leaves the addresses as they come.
 */
export const fromNode = Effect.fnUntraced(function* (
  node: HostNode,
  options: FromNodeOptions = {}
): Effect.fn.Return<Host["Type"], never, Scope.Scope> {
  const connections = yield* makePeerConnections(node)
  const dials = yield* makeDialBudget({ atOnce: dialsAtOnce, longestWait: dialWait, existing: connections.connection })
  const arrivals = yield* connections.events
  yield* daemon(
    "the watch for peers that come by themselves",
    Stream.runForEach(arrivals, (event) =>
      event._tag === "Connected" ? dials.arrived(event.peer.peerId) : Effect.void
    )
  )
  const permits = makeRequestPermits(maxConcurrentRequests)
  const fibers = yield* FiberSet.make<void>()
  const hangUp = (peerId: string): Effect.Effect<void> =>
    Effect.tryPromise((signal) => node.hangUp(peerIdFromString(peerId), { signal })).pipe(
      Effect.disconnect,
      Effect.timeoutOption("1 second"),
      Effect.ignore
    )
  if (options.serve !== undefined) {
    const hearing: Hearing = {
      goodbye: (peerId, code) =>
        Effect.sync(() => connections.noteGoodbye(peerId, code)).pipe(
          // After the stream's own end has gone out.
          Effect.zipRight(FiberSet.run(fibers, Effect.delay(hangUp(peerId), "50 millis")))
        ),
      status: (peerId) => Effect.sync(() => connections.noteHeard(peerId))
    }
    yield* serveProtocols(node, options.serve, hearing, options.metadata, options.custody)
  }
  if (options.manners !== undefined) {
    yield* watchManners(node, connections, options.manners)
    yield* watchDuplicates(node, options.manners.second)
  }

  const dial = {
    timeout: dialTimeout,
    maxConnections: options.maxConnections ?? Infinity,
    order: makeDialOrder()
  }
  const send = Effect.fnUntraced(function* (peerId: string, message: RequestMessage, limits?: RequestLimits) {
    const connection = connections.connection(peerId)
    if (Option.isNone(connection)) {
      return yield* new PeerDisconnected({ stage: "handshake", detail: "not connected" })
    }
    yield* permits.take(`${peerId} ${message.protocols[0]?.protocol.id ?? ""}`)
    return yield* request(connection.value, message, limits)
  })

  return Host.of({
    peerId: node.peerId.toString(),
    multiaddrs: node.getMultiaddrs().map((address) => address.toString()),
    connect: Effect.fn("Host.connect")(function* (address) {
      const { peerId } = address
      const connection = yield* dials
        .connect(peerId, dialPeer(node, address, dial))
        .pipe(explained(connections, peerId))
      yield* Effect.timeoutOption(connections.awaitIdentify(peerId), identifyLimit)
      return connections.describe(peerId, connection)
    }),
    disconnect: (peerId, code) =>
      send(peerId, goodbyeRequest(code), goodbyeLimits).pipe(
        // Whether it is answered does not matter, but it must have been read before the connection is closed.
        Effect.flatMap(({ chunks }) => Stream.runDrain(chunks)),
        Effect.scoped,
        Effect.disconnect,
        Effect.timeoutOption(goodbyeLimits.total),
        Effect.ignore,
        Effect.zipRight(hangUp(peerId)),
        Effect.when(() => Option.isSome(connections.connection(peerId)))
      ),
    request: (peerId, message) =>
      Effect.map(explained(connections, peerId)(send(peerId, message)), (answer) => ({
        protocol: answer.protocol,
        chunks: Stream.catchAll(answer.chunks, (error) =>
          Stream.fromEffect(explain<RequestError>(connections, peerId, error))
        )
      })),
    connected: Effect.sync(connections.connected),
    events: connections.events
  })
})

const maxConnections = 2_000
/** Half of what the node would do at once (`makeNode`): those that were given up may not be gone yet. */
const dialsAtOnce = 50
const dialTimeout = Duration.seconds(8)
/** As long as thousands of dead addresses take. */
const dialWait = Duration.minutes(10)
/** MAX_CONCURRENT_REQUESTS: a peer must not be asked more at once with one protocol (phase0/p2p-interface.md). */
const maxConcurrentRequests = 2
const identifyLimit = Duration.seconds(2)
const goodbyeLimits: RequestLimits = {
  open: Duration.millis(500),
  firstByte: Duration.millis(300),
  chunk: Duration.millis(300),
  total: Duration.millis(700)
}
/**
 * How long a Goodbye may trail the loss that it explains: Lighthouse gave up our streams 150 milliseconds before it said
 * why. Where the connection is gone already, only what has come over it may still be read.
 */
const trail = Duration.millis(300)
const trailOfLost = Duration.millis(30)
const manners: Manners = { silence: Duration.minutes(1), streams: 256, second: Duration.seconds(10) }

/** A loss or a silence that the peer's own Goodbye explains is a refusal. */
const explain = <E extends RequestError | DialError>(
  connections: PeerConnections,
  peerId: string,
  error: E
): Effect.Effect<never, E | PeerRefused> => {
  const told = Effect.suspend((): Effect.Effect<never, E | PeerRefused> =>
    Effect.fail(
      Option.match(connections.recentGoodbye(peerId), {
        onNone: () => error,
        onSome: ({ atOnce, code }) => goodbyeRefusal(code, atOnce)
      })
    )
  )
  const awaited = Effect.suspend(() =>
    Effect.timeoutOption(
      connections.nextGoodbye(peerId),
      Option.isSome(connections.connection(peerId)) ? trail : trailOfLost
    )
  )
  switch (error._tag) {
    case "PeerDisconnected":
      return Option.isNone(connections.recentGoodbye(peerId)) ? Effect.zipRight(awaited, told) : told
    case "ProbeTimeout":
      return told
    default:
      return Effect.fail(error)
  }
}

const explained =
  (connections: PeerConnections, peerId: string) =>
  <A, E extends RequestError | DialError, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | PeerRefused, R> =>
    Effect.catchAll(effect, (error) => explain(connections, peerId, error))
