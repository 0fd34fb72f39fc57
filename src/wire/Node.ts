import "./Polyfill.ts"
import { generateKeyPair, privateKeyFromRaw } from "@libp2p/crypto/keys"
import type { Identify } from "@libp2p/identify"
import type { Libp2p } from "@libp2p/interface"
import { mplex } from "@libp2p/mplex"
import { tcp } from "@libp2p/tcp"
import type { GossipSub } from "@libp2p/gossipsub"
import { Duration, Effect, Either, Option, Schema, type Scope } from "effect"
import { createLibp2p } from "libp2p"
import type { GossipRules } from "./gossip/GossipRules.ts"
import { ethereumGossipsub, noGossip } from "./gossip/Gossipsub.ts"
import { ethereumIdentify } from "./EthereumIdentify.ts"
import { inboundGate, type InboundLimits } from "./InboundGate.ts"
import type { NodeMetrics } from "./NodeMetrics.ts"
import { noiseInOnePiece } from "./Noise.ts"
import { loadQuic, type Quic, type QuicUnavailable } from "./quic/LoadQuic.ts"
import { thriftyYamux } from "./Yamux.ts"
import { transportOf } from "../domain/peer/Transport.ts"
import { messageOf } from "../domain/Text.ts"

/** A libp2p node that dials and answers, and does nothing by itself but to say on which gossip topics it is. */
export type Node = Libp2p<{ readonly identify: Identify; readonly gossip: GossipSub }>

/** The node could not be started: a key that is none, an address that cannot be listened on. */
export class NodeError extends Schema.TaggedError<NodeError>()("NodeError", {
  reason: Schema.String
}) {
  override get message(): string {
    return `libp2p node: ${this.reason}`
  }
}

export type Muxer = "yamux" | "mplex"

export interface NodeOptions {
  /** The agent string of identify. */
  readonly agent: string
  /** 32 bytes, secp256k1; a new key if left out. */
  readonly privateKey?: Uint8Array
  /** Multiaddrs to listen on, of TCP and QUIC; a free port of 127.0.0.1, of TCP, if left out. */
  readonly listen?: ReadonlyArray<string>
  /** The module for QUIC; `loadQuic` if left out. */
  readonly quic?: Effect.Effect<Quic, QuicUnavailable>
  /** Offered in this order; yamux and then mplex if left out. */
  readonly muxers?: ReadonlyArray<Muxer>
  /** Connections in both directions; 300 if left out. */
  readonly maxConnections?: number
  /** What gossip it takes in; none if left out. It speaks gossipsub all the same: clients ban who does not. */
  readonly gossip?: GossipRules
  /** What strangers may take of them; by default shares of the connections that there may be. */
  readonly inbound?: Partial<InboundLimits>
  /** Measures what the node does; nothing is measured if left out. */
  readonly metrics?: NodeMetrics
}

/**
 * Starts a node on QUIC, and on TCP with Noise; where there is no module for QUIC, on TCP alone. It is stopped with the
 * scope: connections get half a second to close, and the whole no more than three.
 */
export const makeNode = (options: NodeOptions): Effect.Effect<Node, NodeError, Scope.Scope> =>
  Effect.gen(function* () {
    const quic = yield* Effect.either(options.quic ?? loadQuic)
    const listen = yield* listenable(options.listen ?? ["/ip4/127.0.0.1/tcp/0"], quic)
    return yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => start(options, listen, Either.getRight(quic)), catch: nodeError }),
      (node) =>
        Effect.promise(async () => node.stop()).pipe(Effect.disconnect, Effect.timeoutOption(Duration.seconds(3)))
    )
  })

/** Those of the addresses that can be listened on. */
const listenable = (
  addresses: ReadonlyArray<string>,
  quic: Either.Either<Quic, QuicUnavailable>
): Effect.Effect<ReadonlyArray<string>, NodeError> =>
  Either.match(quic, {
    onRight: () => Effect.succeed(addresses),
    onLeft: (unavailable) => {
      const others = addresses.filter((address) => transportOf(address) !== "quic")
      return others.length === 0 && addresses.length > 0 ? nodeError(unavailable) : Effect.succeed(others)
    }
  })

const start = async (options: NodeOptions, listen: ReadonlyArray<string>, quic: Option.Option<Quic>): Promise<Node> =>
  createLibp2p({
    privateKey:
      options.privateKey === undefined ? await generateKeyPair("secp256k1") : privateKeyFromRaw(options.privateKey),
    nodeInfo: { userAgent: options.agent },
    addresses: { listen: [...listen] },
    transports: [...Option.toArray(quic), tcp()],
    connectionEncrypters: [noiseInOnePiece()],
    streamMuxers: (options.muxers ?? ["yamux", "mplex"]).map((muxer) => muxers[muxer]()),
    services: { identify: ethereumIdentify, gossip: ethereumGossipsub(options.gossip ?? noGossip) },
    connectionGater: inboundGate({
      ...inboundLimits(options.maxConnections ?? defaultConnections),
      ...options.inbound
    }),
    ...(options.metrics === undefined ? {} : { metrics: options.metrics.component }),
    // Clients do not serve libp2p's ping, and we hear from a dead connection by our own requests.
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: options.maxConnections ?? defaultConnections,
      // Many peers may share one address: the devnet does, and so do hosters.
      inboundConnectionThreshold: 200,
      maxIncomingPendingConnections: maxPending + 256,
      // Dials beyond these wait, on their own time limit, and then fail: whoever dials many has to bound them before.
      maxParallelDials: 100,
      maxDialQueueLength: 500,
      // Addresses are tried in the order in which they are given.
      addressSorter: () => 0,
      dialTimeout: 10_000,
      addressDialTimeout: 5_000,
      inboundUpgradeTimeout: 10_000,
      // Our requests have limits of their own. Gossipsub opens its streams one after the other: whoever does not answer
      // keeps all others waiting for so long.
      outboundStreamProtocolNegotiationTimeout: 3_000,
      inboundStreamProtocolNegotiationTimeout: 5_000
    }
  })

const defaultConnections = 300
const maxPending = 768

/** An eighth for each address, and three quarters for all: who comes to us leaves room for others, and for whom we dial. */
const inboundLimits = (maxConnections: number): InboundLimits => ({
  pendingPerAddress: 64,
  pending: maxPending,
  settled: Math.ceil(maxConnections * 0.75),
  perAddress: Math.max(64, Math.floor(maxConnections / 8)),
  perIdentity: 4,
  // Prysm takes eight at once, and then one in seven seconds.
  pacePerAddress: { burst: 32, perSecond: 0.5 }
})

const muxers = {
  // The window is what a peer may have under way while we are not reading: below libp2p's read buffer (4 MiB). Streams
  // beyond the limit are reset before they cost anything.
  yamux: () => thriftyYamux({ maxInboundStreams: 128, streamOptions: { maxStreamWindowSize: 2 ** 20 } }),
  // By default it closes the connection after five messages a second for streams that are closed already.
  mplex: () => mplex({ disconnectThreshold: Infinity })
}

const nodeError = (cause: unknown): NodeError => new NodeError({ reason: messageOf(cause) })
