import { Context, Duration, Effect, Either, Layer, Metric, Option, Stream } from "effect"
import type { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { ClaimParts } from "../../src/domain/peer/ClaimParts.ts"
import { startClaims } from "../../src/domain/peer/ClaimHistory.ts"
import { makeClaim } from "../../src/domain/peer/ClaimParts.ts"
import type { Finding } from "../../src/domain/peer/Finding.ts"
import { nodeIdOfPeerId } from "../../src/domain/peer/NodeId.ts"
import { neutralScore } from "../../src/domain/peer/Score.ts"
import { secondLooks } from "../../src/domain/metrics/Metrics.ts"
import type { PeerId } from "../../src/domain/Primitives.ts"
import type { Job, Outcome, Probe } from "../../src/domain/probe/Job.ts"
import { lookResults } from "../../src/domain/probe/SecondLook.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { Externs } from "../../src/host/Externs.ts"
import { type DialError, Host } from "../../src/host/Host.ts"
import { SecondHost } from "../../src/host/SecondHost.ts"
import type { Verifier } from "../../src/kzg/Verifier.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { Bandwidth } from "../../src/probe/Bandwidth.ts"
import { ProbeWorkers } from "../../src/probe/ProbeWorkers.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import * as SecondLook from "../../src/second/SecondLook.ts"
import { layerSeams, makeWorld, type PeerModel, peer, statement, type World } from "../probe/FakeWorld.ts"
import { layerSeeded } from "../Seeded.ts"

/** Another peer, of another key. */
export const strangers: ReadonlyArray<PeerId> = [
  peer.peerId,
  "16Uiu2HAm6nLcG47AyCQnB5kDaWJNLbVFbTL9AG3uVvwZK1KUeYs6",
  "16Uiu2HAmNATs3oUD3aLNKHMxJSHxKPHiBzLx3VQxz1GJbCFHDAgd"
]

/** What a peer says and gives to each of the two; a test changes it as it goes. */
export interface Script {
  readonly world: World
  /** Whom the second identity dialled, and when. */
  readonly visits: Array<{ readonly peerId: PeerId; readonly at: number }>
  readonly goodbyes: Array<{ readonly peerId: PeerId; readonly code: number; readonly at: number }>
  /** What the first identity was asked to ask again. */
  readonly again: Array<Job>
  readonly notes: Array<{ readonly peerId: PeerId; readonly finding: Finding }>
  readonly agents: Map<PeerId, string>
  dial: (peerId: PeerId) => Effect.Effect<void, DialError>
  toSecond: Pick<PeerModel, "byRange" | "byRoot">
  /** What the peer claims to each. */
  claims: { first: Omit<ClaimParts, "nodeId">; second: Omit<ClaimParts, "nodeId"> }
  /** What comes of what the first identity asks again. */
  firstAgain: (job: Job) => ReadonlyArray<Outcome>
}

export const blockSlots = [100, 101, 102, 103]
export const columnsOf = (peerId: PeerId, count = 8): ReadonlyArray<number> => claimOf(peerId, statement(count)).columns
const nodeIdOf = (peerId: PeerId) => Either.getOrThrow(nodeIdOfPeerId(peerId))
const claimOf = (peerId: PeerId, parts: Omit<ClaimParts, "nodeId">) => makeClaim({ ...parts, nodeId: nodeIdOf(peerId) })

/** Everything that is asked for. */
export const giving: Pick<PeerModel, "byRange" | "byRoot"> = {
  byRange: ({ columns, count, startSlot }) => ({
    sent: blockSlots
      .filter((slot) => slot >= startSlot && slot < startSlot + count)
      .flatMap((slot) => columns.map((column) => ({ slot, column })))
  }),
  byRoot: () => ({ sent: [] })
}

/** All but these columns, whatever way they are asked for. */
export const without = (lacking: ReadonlyArray<number>): typeof giving => ({
  byRange: (request) =>
    giving.byRange({ ...request, columns: request.columns.filter((one) => !lacking.includes(one)) }),
  byRoot: () => ({ sent: [] })
})

export const outcomesOf = (
  world: World,
  job: Job,
  outcome: (column: number, slot: number) => Pick<Outcome, "outcome" | "suspicion" | "check">
): ReadonlyArray<Outcome> =>
  [...world.canonical.values()]
    .filter(({ slot }) => slot >= job.startSlot && slot < job.startSlot + job.count)
    .flatMap(({ commitments, root, slot }) =>
      job.columns.map((column) => ({
        ...outcome(column, slot),
        slot,
        column,
        blockRoot: root,
        blobs: commitments.length
      }))
    )

export class Fakes extends Context.Tag("test/TwoIdentities")<Fakes, Script>() {}

const layerFakes = Layer.sync(Fakes, (): Script => {
  const world = makeWorld(new Map(blockSlots.map((slot) => [slot, 1])))
  return {
    world,
    visits: [],
    goodbyes: [],
    again: [],
    notes: [],
    agents: new Map([[peer.peerId, "Teku/1"]]),
    dial: () => Effect.void,
    toSecond: giving,
    claims: { first: statement(8), second: statement(8) },
    firstAgain: (job) => outcomesOf(world, job, () => ({ outcome: "success" }))
  }
})

const probeOf = (job: Job, outcomes: ReadonlyArray<Outcome>, at: number): Probe => ({
  id: `${job.peerId} ${at}`,
  purpose: "sampling",
  job,
  startedAt: at,
  finishedAt: at,
  timings: { open: 1, firstByte: 1, total: 1 },
  requests: 1,
  bytes: 10,
  outcomes,
  recovered: 0,
  findings: []
})

const layerPeers = Layer.effect(
  Peers,
  Effect.gen(function* () {
    const script = yield* Fakes
    const clock = yield* Effect.clock
    return Context.get(
      yield* Layer.build(
        Layer.mock(Peers, {
          views: () => [],
          isSentAway: () => false,
          passedOver: () => 0,
          known: (peerId) =>
            Option.some({
              address: {
                peerId,
                multiaddrs: [`/ip4/127.0.0.1/tcp/1/p2p/${peerId}`],
                enrCustodyGroupCount: Option.none()
              },
              agent: Option.fromNullable(script.agents.get(peerId)),
              claims: Option.some(
                startClaims(claimOf(peerId, { ...script.claims.first, observedAt: clock.unsafeCurrentTimeMillis() }))
              ),
              isProvider: false,
              score: neutralScore,
              connected: true,
              findings: {},
              nodeId: Option.some(nodeIdOf(peerId))
            }),
          probe: (_, job) =>
            Effect.gen(function* () {
              if (job === undefined) return yield* Effect.dieMessage("the second look names what it wants")
              script.again.push(job)
              return probeOf(job, script.firstAgain(job), clock.unsafeCurrentTimeMillis())
            }),
          note: (peerId, finding) => Effect.sync(() => void script.notes.push({ peerId, finding }))
        })
      ),
      Peers
    )
  }).pipe(Effect.scoped)
)

/** The second node: what the scripted peer says and gives to it. */
const layerSecond = Layer.scoped(
  SecondHost,
  Effect.gen(function* () {
    const script = yield* Fakes
    const clock = yield* Effect.clock
    const model: PeerModel = {
      byRange: (request) => script.toSecond.byRange(request),
      byRoot: (request) => script.toSecond.byRoot(request),
      statement: () => Either.right({ ...script.claims.second, observedAt: clock.unsafeCurrentTimeMillis() })
    }
    const seams = yield* Layer.build(layerSeams(script.world, model))
    const asked = Context.get(seams, Host)
    return Option.some({
      peerRefresh: Context.get(seams, Externs).peerRefresh,
      host: Host.of({
        peerId: "second",
        multiaddrs: [],
        connect: ({ peerId }) =>
          Effect.gen(function* () {
            script.visits.push({ peerId, at: clock.unsafeCurrentTimeMillis() })
            yield* script.dial(peerId)
            return { peerId, address: "/ip4/127.0.0.1/tcp/1", agent: Option.none() }
          }),
        disconnect: (peerId, code) =>
          Effect.sync(() => void script.goodbyes.push({ peerId, code, at: clock.unsafeCurrentTimeMillis() })),
        request: asked.request,
        connected: Effect.succeed([]),
        events: Effect.succeed(Stream.never)
      })
    })
  })
)

/** The seams of the engine: nobody asks anything through the first node here. */
const layerChain: Layer.Layer<Externs | CommitmentCache | Verifier, never, Fakes> = Layer.unwrapEffect(
  Effect.map(Fakes, ({ world }) => layerSeams(world, { ...giving, statement: () => Either.right(statement(8)) }))
)

const options = {
  testInterval: Duration.seconds(10),
  refreshInterval: Duration.seconds(10),
  confirmAfter: Duration.minutes(10)
}

/** The looks over a scripted peer; without `hasSecond` there is one identity only. */
export const looking = (hasSecond = true) =>
  SecondLook.layer(options).pipe(
    Layer.provide([
      layerPeers,
      layerChain,
      ProbeWorkers.layer(4),
      Bandwidth.layer(Infinity),
      hasSecond ? layerSecond : Layer.empty
    ]),
    Layer.provideMerge(Layer.mergeAll(MemoryEventBus.layer(), Doubts.layer)),
    Layer.provideMerge(layerFakes),
    Layer.provide(layerSeeded)
  )

/** The first identity has just had an answer about all of the blocks; all of it came, unless said otherwise. */
export const probed = (
  peerId: PeerId = peer.peerId,
  outcome: Parameters<typeof outcomesOf>[2] = () => ({ outcome: "success" })
) =>
  Effect.gen(function* () {
    const { world } = yield* Fakes
    const bus = yield* EventBus
    const clock = yield* Effect.clock
    const job: Job = { peerId, startSlot: 100, count: 4, columns: columnsOf(peerId) }
    const probe = probeOf(job, outcomesOf(world, job, outcome), clock.unsafeCurrentTimeMillis())
    yield* bus.publish({ _tag: "Sampling", probe, conversation: "answered", coverage: null })
  })

/** How often each result came, of those that did since `before`. */
export const resultsSince = (before: Readonly<Record<string, number>>) =>
  Effect.map(results, (now) =>
    Object.fromEntries(
      Object.entries(now).flatMap(([key, n]) => (n > (before[key] ?? 0) ? [[key, n - (before[key] ?? 0)]] : []))
    )
  )

export const results = Effect.map(
  Effect.forEach(lookResults, (result) =>
    Effect.map(Metric.value(secondLooks.of({ result })), ({ count }) => [result, Number(count)] as const)
  ),
  (entries): Readonly<Record<string, number>> => Object.fromEntries(entries)
)
