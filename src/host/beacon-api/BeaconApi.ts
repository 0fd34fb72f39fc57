import { NodeHttpClient } from "@effect/platform-node"
import { Context, Duration, Effect, Layer, Option, Ref, Schedule, type Stream } from "effect"
import type { Block, ChainEvent, Head } from "../../domain/network/Block.ts"
import { toHex } from "../../domain/Bytes.ts"
import type { ChainParameters, SlotRange } from "../../domain/network/Chain.ts"
import type { NetworkName } from "../../domain/network/NetworkName.ts"
import type { Checkpoint } from "../../domain/peer/Claim.ts"
import { askGenesis, askNetwork } from "./AskNetwork.ts"
import { chainEvents, idleLimit } from "./BeaconEvents.ts"
import { BeaconFailure, type BeaconHttp, makeBeaconHttp, toExternsError } from "./BeaconHttp.ts"
import { type BeaconNode, makeBeaconNode } from "./BeaconNode.ts"
import { both, rangeOfNodes } from "./RangeOfNodes.ts"
import type { ExternsError } from "../Externs.ts"
import type { Settled } from "./SettleParameters.ts"
import { watchNode } from "./WatchNode.ts"

export interface BeaconApiOptions {
  /** Base URL of the beacon node that is followed. */
  readonly url: string
  /** The network that it must be of; that of the node if left out. */
  readonly network?: NetworkName | undefined
  /** Base URL of a second one of the same network, asked for what the first fails to give: blocks and heads. */
  readonly fallbackUrl?: string | undefined
  /** For one whole request; default 10 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
  /** How long the first node is waited for at the start; default 60 seconds. */
  readonly startLimit?: Duration.DurationInput | undefined
  /**
   * Takes the roots of a fork's blocks from the node's headers where this program computes others from the same blocks;
   * without it, which is the default, nothing of such a fork is told.
   */
  readonly trustBeaconRoots?: boolean | undefined
  /** Silence after which the event stream is opened again; default three slots, 30 seconds at least. */
  readonly idle?: Duration.DurationInput | undefined
}

/** The chain as beacon nodes tell it over HTTP. What they say of a root is computed again from the block or header. */
export class BeaconApi extends Context.Tag("dasmon/BeaconApi")<
  BeaconApi,
  {
    readonly chain: ChainParameters
    readonly head: Effect.Effect<Head, ExternsError>
    /** The finalized checkpoint of the head's state; of the node that is followed. */
    readonly finalized: Effect.Effect<Checkpoint, ExternsError>
    /** The canonical blocks of a range, ascending; a slot without an entry is proven empty. See `Externs.chainQuery`. */
    readonly blocks: (range: SlotRange) => Effect.Effect<ReadonlyArray<Block>, ExternsError>
    /** Head, finality and reorgs, for as long as it is run; connects again by itself. */
    readonly events: Stream.Stream<ChainEvent>
  }
>() {
  /** Waits for the node to say genesis and configuration, and fails if it does not. */
  static readonly layer = (options: BeaconApiOptions): Layer.Layer<BeaconApi, ExternsError> =>
    Layer.scoped(this, Effect.mapError(make(options), toExternsError)).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

/** Requests under way at once, to one node. */
const concurrency = 4

const make = Effect.fnUntraced(function* (options: BeaconApiOptions) {
  const trustsRoots = options.trustBeaconRoots ?? false
  const timeout = Duration.decode(options.timeout ?? "10 seconds")
  const http = yield* makeBeaconHttp({ url: options.url, timeout, concurrency })
  const account = yield* firstContact(http, options.network, Duration.decode(options.startLimit ?? "60 seconds"))
  const primary = yield* makeBeaconNode(http, account.chain, trustsRoots)
  yield* watchNode(http, account)
  const fallback =
    options.fallbackUrl === undefined
      ? undefined
      : yield* lazyNode(yield* makeBeaconHttp({ url: options.fallbackUrl, timeout, concurrency }), primary)

  const head = (
    fallback === undefined
      ? primary.head
      : Effect.catchAll(primary.head, (error) =>
          Effect.mapError(
            Effect.flatMap(fallback, ({ head }) => head),
            (second) => both(error, second)
          )
        )
  ).pipe(Effect.mapError(toExternsError))
  return BeaconApi.of({
    chain: primary.chain,
    head: Effect.map(head, ({ root, slot }) => ({ root, slot })),
    finalized: Effect.mapError(primary.finalized, toExternsError),
    blocks: rangeOfNodes(primary, Option.fromNullable(fallback)),
    events: chainEvents({
      http,
      chain: primary.chain,
      head,
      finalized: primary.finalized,
      idle: options.idle === undefined ? idleLimit(primary.chain) : Duration.decode(options.idle)
    })
  })
})

/** A node that is not up yet is waited for, with one line in the log. */
const firstContact = (
  http: BeaconHttp,
  wanted: NetworkName | undefined,
  limit: Duration.Duration
): Effect.Effect<Settled, BeaconFailure> =>
  Effect.gen(function* () {
    const told = yield* Ref.make(false)
    const last = yield* Ref.make(
      new BeaconFailure({ operation: http.name, reason: "no answer", status: Option.none(), transient: true })
    )
    return yield* askNetwork(http, wanted).pipe(
      Effect.tapError((error) =>
        Effect.zipRight(
          Ref.set(last, error),
          Effect.whenEffect(
            Effect.logWarning(`waiting for the beacon node: ${error.message}`),
            Ref.modify(told, (already) => [!already && error.transient, true])
          )
        )
      ),
      Effect.retry({ schedule: startRetries, while: (error) => error.transient }),
      Effect.timeoutOption(limit),
      Effect.flatMap(Option.match({ onSome: Effect.succeed, onNone: () => Effect.flatMap(Ref.get(last), Effect.fail) }))
    )
  })

const startRetries = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)

/** Asked for its genesis when it is first needed; it must be of the same network, whose parameters are those of the first. */
const lazyNode = Effect.fnUntraced(function* (http: BeaconHttp, primary: BeaconNode) {
  const known = yield* Ref.make(Option.none<BeaconNode>())
  const meet = Effect.gen(function* () {
    const { data: genesis } = yield* askGenesis(http)
    if (genesis.genesis_validators_root !== toHex(primary.chain.genesisValidatorsRoot)) {
      return yield* new BeaconFailure({
        operation: http.name,
        reason: `it is of another network than ${primary.name}`,
        status: Option.none(),
        transient: false
      })
    }
    const node = yield* makeBeaconNode(http, primary.chain, primary.trustsRoots)
    yield* Ref.set(known, Option.some(node))
    return node
  })
  return Effect.flatMap(known, Option.match({ onSome: Effect.succeed, onNone: () => meet }))
})
