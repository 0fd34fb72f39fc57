import { Clock, Duration, Effect, Metric, Option, Schedule, type Scope, Stream, SubscriptionRef } from "effect"
import type { BeaconNodeState } from "../../../domain/network/BeaconNodeState.ts"
import type { ChainParameters } from "../../../domain/network/Chain.ts"
import { beaconFailovers, beaconNodeInUse } from "../../../domain/metrics/Metrics.ts"
import { daemon } from "../../../runtime/Daemon.ts"
import { type BeaconFailure, passing } from "../BeaconFailure.ts"
import type { BeaconHttp } from "../BeaconHttp.ts"
import { type BeaconNode, makeBeaconNode } from "../BeaconNode.ts"
import { chooseInUse, isTrusted, orderOf } from "./Choose.ts"
import { type Look, makeLookAt } from "./LookAt.ts"
import { firstInOrder } from "./FirstInOrder.ts"
import { makeMember, type Member, withBehind } from "./Member.ts"
import { makePoolReport } from "./PoolReport.ts"
import { makeWatchFinality } from "./WatchFinality.ts"

export interface PoolOptions {
  readonly chain: ChainParameters
  /** In the order of preference. */
  readonly nodes: ReadonlyArray<{
    readonly http: BeaconHttp
    readonly role: "main" | "backfill"
    /** Whether it is the one whose account of the network was taken. */
    readonly isReference: boolean
  }>
  readonly trustsRoots: boolean
  /** Between two looks at a node; if none, by its role. */
  readonly lookInterval: Option.Option<Duration.Duration>
}

/** Several beacon nodes as one: the first that is well is followed, and what it does not give is asked of the others. */
export interface BeaconPool {
  /** Whom to ask, the best first; none that cannot be trusted. */
  readonly order: Effect.Effect<ReadonlyArray<BeaconNode>>
  /** Why the others are not asked. */
  readonly distrusted: Effect.Effect<ReadonlyArray<BeaconFailure>>
  /** The node that is followed at this moment, if any, and an effect that returns when another one is, or none. */
  readonly followed: Effect.Effect<{ readonly http: Option.Option<BeaconHttp>; readonly left: Effect.Effect<void> }>
  readonly states: Effect.Effect<ReadonlyArray<BeaconNodeState>>
}

/**
 * Looks at every node again and again until the scope closes. One that is well has been found when this returns, the first if
 * it did not take its time.
 */
export const makeBeaconPool = Effect.fnUntraced(function* (
  options: PoolOptions
): Effect.fn.Return<BeaconPool, never, Scope.Scope> {
  const { chain } = options
  const startedAt = yield* Clock.currentTimeMillis
  const members = yield* Effect.forEach(options.nodes, ({ http, isReference, role }, place) =>
    Effect.gen(function* () {
      const node = yield* makeBeaconNode(http, chain, options.trustsRoots)
      return { ...makeMember(node, role, place, startedAt), lookAt: yield* makeLookAt(node, isReference) }
    })
  )
  const inUse = yield* SubscriptionRef.make(-1)
  const report = yield* makePoolReport(members)
  const watchFinality = yield* makeWatchFinality(members)

  const settle = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    withBehind(members, now)
    const before = yield* inUse
    const after = chooseInUse(
      members.map((member) => member.state()),
      before
    )
    if (after !== before) {
      if (before !== -1 && after !== -1) yield* Metric.increment(beaconFailovers)
      yield* Metric.set(beaconNodeInUse, after + 1)
      yield* report.followed(members[before], members[after])
      yield* SubscriptionRef.set(inUse, after)
    }
    yield* report.settled(now)
  })
  const oneAtATime = yield* Effect.makeSemaphore(1)
  const take = (member: Member, look: Look) =>
    oneAtATime.withPermits(1)(
      Effect.zipRight(
        Effect.map(Clock.currentTimeMillis, (now) => member.take(look, now)),
        settle
      )
    )
  const lookOnce = (member: (typeof members)[number]) =>
    Effect.gen(function* () {
      const look = yield* member.lookAt
      // Before it is gone by.
      if (Option.isSome(look.finalized)) yield* watchFinality(member, look.finalized.value)
      yield* take(member, look)
    })

  const seen = yield* Effect.forEach(members, () => Effect.makeLatch())
  yield* Effect.forEach(members, (member, place) =>
    daemon(
      `looking at beacon node ${place + 1}`,
      Effect.ensuring(lookOnce(member), seen[place]?.open ?? Effect.void),
      Schedule.spaced(
        Option.getOrElse(options.lookInterval, () => (member.role === "main" ? mainInterval(chain) : backfillInterval))
      )
    )
  )
  const looked = members.map(({ state }, place) =>
    Effect.zipRight(
      seen[place]?.await ?? Effect.void,
      Effect.suspend(() => (state().condition === "well" ? Effect.void : Effect.fail("not well")))
    )
  )
  yield* Effect.timeoutOption(Effect.either(firstInOrder(looked, firstLookPatience)), firstLookLimit)

  return {
    order: Effect.map(inUse, (place) =>
      orderOf(
        members.map((member) => member.state()),
        place
      ).flatMap((at) => members[at]?.node ?? [])
    ),
    distrusted: Effect.sync(() =>
      members.flatMap(({ node, state }) => {
        const { condition, reason } = state()
        return isTrusted(condition) ? [] : [notAsked(node, reason)]
      })
    ),
    followed: Effect.map(inUse, (place) => ({
      http: Option.map(Option.fromNullable(members[place]), ({ node }) => node.http),
      left: inUse.changes.pipe(
        Stream.filter((now) => now !== place),
        Stream.take(1),
        Stream.runDrain
      )
    })),
    states: Effect.map(inUse, (place) => members.map((member, at) => member.shown(at === place)))
  }
})

/** For any node to be found well, at the start, and for those before it then. */
const firstLookPatience = Duration.seconds(1)
const firstLookLimit = Duration.seconds(5)

const mainInterval = ({ slotDurationMs }: ChainParameters): Duration.Duration =>
  Duration.millis(Math.min(12_000, Math.max(2_000, slotDurationMs)))
/** It is often somebody else's, and seldom needed. */
const backfillInterval = Duration.seconds(60)

const notAsked = ({ name }: BeaconNode, reason: string | null): BeaconFailure =>
  passing(name, `it is not asked: ${reason ?? "it cannot be trusted"}`)
