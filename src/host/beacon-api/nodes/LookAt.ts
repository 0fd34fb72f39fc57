import { Clock, Duration, Effect, Either, Option, Ref } from "effect"
import { toHex } from "../../../domain/Bytes.ts"
import type { BeaconNodeCondition } from "../../../domain/network/BeaconNodeState.ts"
import { type ChainParameters, slotAt } from "../../../domain/network/Chain.ts"
import { forkDigestsAround } from "../../../domain/network/ForkDigest.ts"
import type { Checkpoint } from "../../../domain/peer/Claim.ts"
import type { Slot } from "../../../domain/Primitives.ts"
import { askGenesis, askParameters } from "../AskNetwork.ts"
import type { BeaconFailure } from "../BeaconFailure.ts"
import { optimisticReason } from "../BeaconHeader.ts"
import type { BeaconNode, Syncing } from "../BeaconNode.ts"

/** What one look at a node found. */
export interface Look {
  readonly condition: BeaconNodeCondition
  /** What is wrong, for the log and `/status`; it may hold addresses. */
  readonly reason: Option.Option<string>
  /** Of a node that is well. */
  readonly headSlot: Option.Option<Slot>
  readonly finalized: Option.Option<Checkpoint>
}

/**
 * Looks at a node whenever it is run: whether it answers, is of our network, has followed its chain to the end, and has
 * had its execution client verify it. The network is asked after now and then only. `isReference` is the node whose
 * account of the network we work with.
 */
export const makeLookAt = Effect.fnUntraced(function* (node: BeaconNode, isReference: boolean) {
  const networkSeenAt = yield* Ref.make(-Infinity)
  const lookAtNetwork = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (now - (yield* networkSeenAt) < Duration.toMillis(networkInterval)) return Option.none<Look>()
    const fault = yield* networkFault(node, isReference)
    if (Option.isNone(fault)) yield* Ref.set(networkSeenAt, now)
    return fault
  })
  const look = Effect.gen(function* () {
    const stranger = yield* lookAtNetwork
    if (Option.isSome(stranger)) return stranger.value
    const syncing = yield* Effect.either(node.syncing)
    if (Either.isLeft(syncing) && isGone(syncing.left)) return failed(syncing.left)
    // Some providers do not serve what is about the node itself: then its head alone tells.
    const trouble = Option.flatMap(Either.getRight(syncing), troubleOf)
    if (Option.isSome(trouble)) return trouble.value
    const head = yield* Effect.either(node.head)
    if (Either.isLeft(head)) return failed(head.left)
    return {
      condition: "well",
      reason: Option.none(),
      headSlot: Option.some(head.right.slot),
      finalized: yield* Effect.option(node.finalized)
    } satisfies Look
  })
  return Effect.tap(
    Effect.timeoutTo(look, {
      duration: lookLimit,
      onSuccess: (found): Look => found,
      onTimeout: () => ill("unreachable", `it does not answer within ${Duration.format(lookLimit)}`)
    }),
    // Whoever was away may be another one when it is back.
    ({ condition }) => (condition === "unreachable" ? Ref.set(networkSeenAt, -Infinity) : Effect.void)
  )
})

/** Longer than one request takes that was not answered, and again. */
const lookLimit = Duration.seconds(25)
const networkInterval = Duration.minutes(5)

const ill = (condition: BeaconNodeCondition, reason: string): Look => ({
  condition,
  reason: Option.some(reason),
  headSlot: Option.none(),
  finalized: Option.none()
})

const failed = (error: BeaconFailure): Look =>
  error.reason === optimisticReason
    ? ill("optimistic", optimisticReason)
    : ill(error.transient ? "unreachable" : "unusable", error.message)

/** No answer, or one from something that stands before the node: none at all from the node. */
const isGone = ({ status, transient }: BeaconFailure): boolean => transient && Option.isNone(status)

const troubleOf = ({ distance, isElOffline, isOptimistic, isSyncing }: Syncing): Option.Option<Look> => {
  if (isSyncing) return Option.some(ill("syncing", `it is syncing (${distance} slots behind)`))
  if (isOptimistic) return Option.some(ill("optimistic", optimisticReason))
  return isElOffline ? Option.some(ill("execution_offline", "its execution client is offline")) : Option.none()
}

/** Whether the node is of another network than ours, or at odds with us about the present of it. */
const networkFault = Effect.fnUntraced(function* (
  { chain, http }: BeaconNode,
  isReference: boolean
): Effect.fn.Return<Option.Option<Look>> {
  const genesis = yield* Effect.either(askGenesis(http))
  if (Either.isLeft(genesis)) return Option.some(failed(genesis.left))
  const { genesis_time, genesis_validators_root } = genesis.right.data
  if (genesis_validators_root !== toHex(chain.genesisValidatorsRoot) || genesis_time !== chain.genesisTime) {
    return Option.some(ill("other_network", `it is of another network than ${chain.network}, which dasmon runs on`))
  }
  // What the reference says is watched by itself.
  const account = isReference ? Option.none() : yield* Effect.option(askParameters(http, genesis.right))
  const now = yield* Clock.currentTimeMillis
  return Option.flatMap(account, (settled) => {
    const theirs = digestsAt(settled.chain, now)
    const ours = digestsAt(chain, now)
    return theirs === ours && settled.chain.slotDurationMs === chain.slotDurationMs
      ? Option.none()
      : Option.some(
          ill(
            "other_parameters",
            `its configuration comes to the fork digest ${theirs} where dasmon has ${ours}: update the beacon node, or ` +
              "dasmon, and restart"
          )
        )
  })
})

const digestsAt = (chain: ChainParameters, now: number): string =>
  forkDigestsAround(chain, slotAt(chain, now)).join(" or ")
