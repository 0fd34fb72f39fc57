import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Context, Duration, Effect, Layer, Option, type Stream } from "effect"
import type { BeaconNodeState } from "../../domain/network/BeaconNodeState.ts"
import type { Block, ChainEvent, Head } from "../../domain/network/Block.ts"
import type { ChainParameters, SlotRange } from "../../domain/network/Chain.ts"
import type { NetworkName } from "../../domain/network/NetworkName.ts"
import type { Checkpoint } from "../../domain/peer/Claim.ts"
import type { Root, Slot } from "../../domain/Primitives.ts"
import type { ExternsError } from "../Externs.ts"
import { chainEvents, idleLimit } from "./events/BeaconEvents.ts"
import { type BeaconFailure, joined, lasting, toExternsError } from "./BeaconFailure.ts"
import { type BeaconHttp, makeBeaconHttp } from "./BeaconHttp.ts"
import type { BeaconNode } from "./BeaconNode.ts"
import type { GossipQuestions } from "../GossipTruth.ts"
import { importedBlock, keyOfValidator, proposersOf } from "./GossipRequests.ts"
import { knownParameters } from "./KnownNetworks.ts"
import { type BeaconPool, makeBeaconPool } from "./nodes/BeaconPool.ts"
import { type Contact, firstContact } from "./nodes/FirstContact.ts"
import { rangeOfNodes } from "./RangeOfNodes.ts"
import { watchAccount, watchClock } from "./WatchNode.ts"

export interface BeaconApiOptions {
  /**
   * Base URL of the beacon node that is followed, or several of one network in the order of preference: the first that
   * is well is followed, and what it does not give is asked of the others.
   */
  readonly url: string | ReadonlyArray<string>
  /** The network that it must be of; that of the node if left out. */
  readonly network?: NetworkName | undefined
  /** Base URL of one more of the same network, asked for what they all fail to give: blocks and heads. */
  readonly fallbackUrl?: string | undefined
  /**
   * The network, where it is known beforehand: then nothing waits for a node at the start, and one that is of another
   * network is not asked. Otherwise the first node that answers says which it is.
   */
  readonly chain?: ChainParameters | undefined
  /** For one whole request; default 10 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * How long the first answer of any node is waited for at the start; it fails without one. Left out, a network that is
   * named is begun after ten seconds with what is known of it, any other waits without limit.
   */
  readonly startLimit?: Duration.DurationInput | undefined
  /**
   * Takes the roots of a fork's blocks from the node's headers where this program computes others from the same blocks;
   * without it, which is the default, nothing of such a fork is told.
   */
  readonly trustBeaconRoots?: boolean | undefined
  /** Between two looks at how a node is doing; default a slot, 2 seconds at least and 12 at most. */
  readonly lookInterval?: Duration.DurationInput | undefined
  /** Silence after which the event stream is opened again; default three slots, 30 seconds at least. */
  readonly idle?: Duration.DurationInput | undefined
}

/** The chain as beacon nodes tell it over HTTP. What they say of a root is computed again from the block or header. */
export class BeaconApi extends Context.Tag("dasmon/BeaconApi")<
  BeaconApi,
  {
    readonly chain: ChainParameters
    readonly head: Effect.Effect<Head, ExternsError>
    /** The finalized checkpoint of the head's state. */
    readonly finalized: Effect.Effect<Checkpoint, ExternsError>
    /** The canonical blocks of a range, ascending; a slot without an entry is proven empty. See `Externs.chainQuery`. */
    readonly blocks: (range: SlotRange) => Effect.Effect<ReadonlyArray<Block>, ExternsError>
    /** The slot of a block on any branch; see `BlockRoots`. */
    readonly slotOf: (root: Root) => Effect.Effect<Option.Option<Slot>, ExternsError>
    /** Head, finality and reorgs, for as long as it is run; connects again by itself. */
    readonly events: Stream.Stream<ChainEvent>
    /** What gossip is held against: of the first node that answers. */
    readonly gossip: GossipQuestions
    /** How every node is doing, in the order of preference. */
    readonly nodes: Effect.Effect<ReadonlyArray<BeaconNodeState>>
  }
>() {
  /** Waits for a node to say genesis and configuration; fails where none is a beacon node. */
  static readonly layer = (options: BeaconApiOptions): Layer.Layer<BeaconApi, ExternsError> =>
    Layer.scoped(this, Effect.mapError(make(options), toExternsError)).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

/** Requests under way at once, to one node. */
const concurrency = 4

const make = Effect.fnUntraced(function* (options: BeaconApiOptions) {
  const timeout = Duration.decode(options.timeout ?? "10 seconds")
  const urls = typeof options.url === "string" ? [options.url] : options.url
  const mains = yield* Effect.forEach(urls, (url) => makeBeaconHttp({ url, timeout, concurrency }))
  const backfills = yield* Effect.forEach(options.fallbackUrl === undefined ? [] : [options.fallbackUrl], (url) =>
    makeBeaconHttp({ url, timeout, concurrency })
  )
  const contact = yield* contactWith(mains, options)
  const { chain } = contact.account
  const pool = yield* makeBeaconPool({
    chain,
    trustsRoots: options.trustBeaconRoots ?? false,
    lookInterval: Option.map(Option.fromNullable(options.lookInterval), Duration.decode),
    nodes: [
      ...mains.map((http, place) => ({ http, role: "main" as const, isReference: place === contact.place })),
      ...backfills.map((http) => ({ http, role: "backfill" as const, isReference: false }))
    ]
  })
  const reference = mains[contact.place]
  if (reference !== undefined) yield* watchAccount(reference, contact.account)
  yield* watchClock(Effect.map(pool.followed, ({ http }) => http))

  const head = firstOf(pool, (node) => node.head).pipe(Effect.mapError(toExternsError))
  const finalized = firstOf(pool, (node) => node.finalized).pipe(Effect.mapError(toExternsError))
  return BeaconApi.of({
    chain,
    head: Effect.map(head, ({ root, slot }) => ({ root, slot })),
    finalized,
    blocks: rangeOfNodes(pool),
    slotOf: (root) =>
      firstOf(pool, (node) => node.header(root)).pipe(
        Effect.map(Option.map(({ slot }) => slot)),
        Effect.mapError(toExternsError)
      ),
    events: chainEvents({
      followed: pool.followed,
      chain,
      head,
      finalized,
      idle: options.idle === undefined ? idleLimit(chain) : Duration.decode(options.idle)
    }),
    gossip: {
      block: (root) =>
        Effect.mapError(
          firstOf(pool, ({ http }) => importedBlock(http, root)),
          toExternsError
        ),
      proposers: (epoch) =>
        Effect.mapError(
          firstOf(pool, ({ http }) => proposersOf(http, chain, epoch)),
          toExternsError
        ),
      validatorKey: (index) =>
        Effect.mapError(
          firstOf(pool, ({ http }) => keyOfValidator(http, index)),
          toExternsError
        )
    },
    nodes: pool.states
  })
})

/** Which network it is, by the word of a node where one answers in time. */
const contactWith = (
  nodes: ReadonlyArray<BeaconHttp>,
  { chain, network, startLimit }: BeaconApiOptions
): Effect.Effect<Contact, BeaconFailure> => {
  if (chain !== undefined) return Effect.succeed(withoutNode(chain))
  const limit = Option.map(Option.fromNullable(startLimit), Duration.decode)
  if (network === undefined || Option.isSome(limit)) return firstContact(nodes, network, limit)
  return firstContact(nodes, network, Option.some(namedLimit)).pipe(
    Effect.catchIf(
      ({ transient }) => transient,
      ({ message }) =>
        Effect.as(
          Effect.logWarning(
            `no beacon node answers: dasmon begins with what it knows of ${network}, and probes nobody until one does (${message})`
          ),
          withoutNode(knownParameters(network))
        )
    )
  )
}

const withoutNode = (chain: ChainParameters): Contact => ({
  account: { chain, corrections: [], doubt: Option.none() },
  place: -1
})

/** A node that starts with this program is worth waiting for: it may know of more than this release does. */
const namedLimit = Duration.seconds(10)

/** The first answer of those that may be asked, one after the other. */
const firstOf = <A>(
  { distrusted, order }: BeaconPool,
  ask: (node: BeaconNode) => Effect.Effect<A, BeaconFailure>
): Effect.Effect<A, BeaconFailure> =>
  Effect.gen(function* () {
    const failures: Array<BeaconFailure> = []
    for (const node of yield* order) {
      const answer = yield* Effect.either(ask(node))
      if (answer._tag === "Right") return answer.right
      failures.push(answer.left)
    }
    const all = [...failures, ...(yield* distrusted)]
    return yield* joined(all, lasting("beacon API", "no beacon node is configured"))
  })
