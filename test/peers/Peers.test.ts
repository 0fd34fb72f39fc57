import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Deferred, Effect, Fiber, Layer, Option, PubSub, Ref, Stream, TestClock } from "effect"
import type { ClaimParts } from "../../src/domain/peer/Claim.ts"
import { PeerDisconnected, PeerRefused, type RequestError } from "../../src/domain/probe/Outcome.ts"
import type { PeerAddress } from "../../src/domain/peer/Peer.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Host, type HostEvent } from "../../src/host/Host.ts"
import { Peers, type PeersOptions } from "../../src/peers/Peers.ts"
import { Prober, type ProbeRequest, type ProbeResult } from "../../src/probe/Prober.ts"
import { Tally } from "../../src/probe/ProbeTotals.ts"
import { Workers } from "../../src/probe/ProbeWorkers.ts"
import { Sampler } from "../../src/sampler/Sampler.ts"
import { chain, peer, statement } from "../probe/FakeWorld.ts"

const other: PeerAddress = {
  ...peer,
  peerId: "16Uiu2HAm6nLcG47AyCQnB5kDaWJNLbVFbTL9AG3uVvwZK1KUeYs6",
  multiaddrs: ["/ip4/127.0.0.1/tcp/2"]
}
const dialled: PeerAddress = { ...peer, multiaddrs: ["/ip4/127.0.0.1/tcp/1"] }

/** What the fakes do, and what was asked of them; a test changes the behaviour as it goes. */
interface Script {
  readonly connects: Array<string>
  readonly goodbyes: Array<readonly [string, number]>
  readonly refreshes: Array<string>
  readonly probes: Array<{ readonly peerId: string; readonly at: number }>
  connect: (peerId: string) => Effect.Effect<void, PeerDisconnected>
  refresh: (peerId: string) => Effect.Effect<Omit<ClaimParts, "nodeId">, RequestError>
  probe: (request: ProbeRequest) => Effect.Effect<Option.Option<RequestError>>
  readonly up: Set<string>
}

class Fakes extends Context.Tag("test/Fakes")<
  Fakes,
  { readonly script: Script; readonly hub: PubSub.PubSub<HostEvent> }
>() {}

const layerFakes = (prepare: (script: Script) => void) =>
  Layer.effect(
    Fakes,
    Effect.map(PubSub.unbounded<HostEvent>(), (hub) => {
      const script: Script = {
        connects: [],
        goodbyes: [],
        refreshes: [],
        probes: [],
        connect: () => Effect.void,
        refresh: () => Effect.succeed(statement(8)),
        probe: () => Effect.succeedNone,
        up: new Set<string>()
      }
      prepare(script)
      return { hub, script }
    })
  )

const layerHost = Layer.effect(
  Host,
  Effect.map(Fakes, ({ hub, script }) =>
    Host.of({
      peerId: "us",
      multiaddrs: [],
      connect: ({ multiaddrs, peerId }) =>
        Effect.gen(function* () {
          script.connects.push(peerId)
          yield* script.connect(peerId)
          script.up.add(peerId)
          return { peerId, address: multiaddrs[0] ?? "inbound", agent: "Teku/1" }
        }),
      disconnect: (peerId, code) =>
        Effect.sync(() => {
          script.goodbyes.push([peerId, code])
          script.up.delete(peerId)
        }),
      request: () => Effect.die("the prober is a fake"),
      connected: Effect.sync(() => [...script.up].map((peerId) => ({ peerId, address: "", agent: undefined }))),
      events: Stream.fromPubSub(hub, { scoped: true })
    })
  )
)

const probeOf = (request: ProbeRequest, at: number, error: Option.Option<RequestError>): ProbeResult => ({
  probe: {
    id: `${request.job.peerId} ${at}`,
    job: request.job,
    startedAt: at,
    finishedAt: at,
    timings: { open: 1, firstByte: 1, total: 1 },
    requests: 1,
    bytes: 10,
    outcomes: Option.isSome(error) ? [] : [{ slot: 4, column: 1, outcome: "success", blockRoot: "0x00", blobs: 1 }],
    findings: []
  },
  conversation: Option.match(error, {
    onNone: () => "answered" as const,
    onSome: ({ _tag }) => (_tag === "PeerRefused" ? ("refused" as const) : ("unanswered" as const))
  }),
  statement: Option.none(),
  evidence: [],
  error
})

const layerProber = Layer.effect(
  Prober,
  Effect.map(Fakes, ({ script }) =>
    Prober.of({
      probe: (request) =>
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          script.probes.push({ peerId: request.job.peerId, at })
          return probeOf(request, at, yield* script.probe(request))
        })
    })
  )
)

const layerSampler = Layer.succeed(
  Sampler,
  Sampler.of({
    unload: () => Effect.void,
    next: (peerId) => Effect.succeedSome({ peerId, startSlot: 4, count: 1, columns: [1] }),
    record: () => Effect.succeedNone
  })
)

const layerIdleSampler = Layer.map(layerSampler, (context) =>
  Context.make(Sampler, { ...Context.get(context, Sampler), next: () => Effect.succeedNone })
)

const options: PeersOptions = {
  addresses: [dialled],
  allows: () => true,
  testIntervalMs: 10_000,
  refreshIntervalMs: 4_000,
  graceMs: 60_000,
  maxPeers: 100
}

const layerExterns = Layer.effect(
  Externs,
  Effect.map(Fakes, ({ script }) =>
    Externs.of({
      chain,
      peerRefresh: ({ peerId }) => {
        script.refreshes.push(peerId)
        return script.refresh(peerId)
      },
      chainQuery: () => Effect.succeed([]),
      chainHead: Effect.succeed({ slot: 1000, root: "0x00" }),
      chainEvents: Stream.never
    })
  )
)

/** The supervisor over fakes that are set up before it starts. */
const world = (
  prepare: (script: Script) => void = () => {},
  over: Partial<PeersOptions> = {},
  workers = 4,
  sampler = layerSampler
) =>
  Peers.layer({ ...options, ...over }).pipe(
    Layer.provide([layerHost, layerProber, sampler, layerExterns, Workers.layer(workers)]),
    Layer.provideMerge(
      Layer.mergeAll(Tally.layer, MemoryHistory.layer, MemoryEventBus.layer(), MemoryEvidence.layer())
    ),
    Layer.provideMerge(layerFakes(prepare))
  )

const view = (peerId: string) =>
  Effect.flatMap(Peers, ({ views }) =>
    Effect.map(views, (all) => {
      const found = all.find((one) => one.peerId === peerId)
      if (found === undefined) throw new Error("the peer is not tracked")
      return found
    })
  )

const timesOf = (script: Script, peerId: string) =>
  script.probes.filter((probe) => probe.peerId === peerId).map(({ at }) => at)

describe("one peer", () => {
  it.effect("is probed once an interval, refreshed in between, and ends up compliant", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0, 10_000, 20_000, 30_000])
      assert.strictEqual(script.refreshes.length, 1 + 8)
      const { custody, outcomes, verdict } = yield* view(peer.peerId)
      assert.strictEqual(verdict, "compliant")
      assert.strictEqual(outcomes.success, 4)
      assert.strictEqual(custody?.groupCount, 8)
      const { totals } = yield* Tally
      assert.deepInclude(yield* totals, { started: 4, completed: 4, inFlight: 0, defects: 0 })
    }).pipe(Effect.provide(world()))
  )

  it.effect("that refuses is left alone for longer each time, and not for good", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("20 minutes")
      const gaps = timesOf(script, peer.peerId).map((at, index, all) => at - (all[index - 1] ?? 0))
      const [, first = 0, second = 0, third = 0] = gaps
      assert.isTrue(first >= 20_000 && second >= 40_000 && third >= 80_000)
      assert.isBelow(Math.max(...gaps), 400_000)
      assert.isAbove(gaps.length, 5)
      assert.strictEqual((yield* view(peer.peerId)).verdict, "refusing")
      // While it is left alone it is not even asked for its claim.
      assert.isBelow(script.refreshes.length, 30)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.succeedSome(new PeerRefused({ reason: "rate_limited", detail: "slow down" }))
        })
      )
    )
  )

  it.effect("of another network gets Goodbye 2 and is never probed", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(script.probes, [])
      assert.deepStrictEqual(script.goodbyes[0], [peer.peerId, 2])
      const { lastFailure, verdict } = yield* view(peer.peerId)
      assert.strictEqual(verdict, "refusing")
      assert.include(lastFailure ?? "", "0xdeadbeef")
    }).pipe(
      Effect.provide(
        world((script) => {
          script.refresh = () => Effect.succeed({ ...statement(8), forkDigest: "0xdeadbeef" })
        })
      )
    )
  )

  it.effect("that never answers is unresponsive", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "unresponsive")
    }).pipe(
      Effect.provide(
        world((script) => {
          script.connect = () => Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
        })
      )
    )
  )

  it.effect("that drops the connection is dialled again, after the probe under way is recorded", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      script.up.delete(peer.peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: undefined })
      yield* TestClock.adjust("100 millis")
      assert.isFalse((yield* view(peer.peerId)).connected)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* view(peer.peerId)).outcomes.success, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(script.connects.length, 2)
      assert.isTrue((yield* view(peer.peerId)).connected)
      assert.isAbove((yield* view(peer.peerId)).outcomes.success, 3)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.as(Effect.sleep("4 seconds"), Option.none())
        })
      )
    )
  )

  it.effect("whose claim changes is told about, and the contradiction counted", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const bus = yield* EventBus
      const history = yield* History
      const updates = yield* bus.subscribe.pipe(
        Effect.flatMap((events) =>
          events.pipe(
            Stream.filterMap((event) => (event._tag === "CustodyUpdate" ? Option.some(event) : Option.none())),
            Stream.take(1),
            Stream.runHead
          )
        ),
        Effect.scoped,
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      script.refresh = () => Effect.succeed({ ...statement(6), sequenceNumber: 0 })
      yield* TestClock.adjust("5 seconds")
      const update = Option.getOrThrow(yield* Fiber.join(updates))
      assert.deepStrictEqual([update.previous?.custodyGroupCount, update.claim.custodyGroupCount], [8, 6])
      assert.deepStrictEqual((yield* view(peer.peerId)).findings, {
        custody_count_decreased: 1,
        sequence_number_decreased: 1
      })
      assert.strictEqual((yield* history.claims(peer.peerId)).length, 2)
    }).pipe(Effect.provide(world()))
  )
})

describe("a probe on demand", () => {
  const probeNow = (peerId: string) => Effect.flatMap(Peers, (peers) => peers.probeNow(peerId))

  it.effect("is the peer's next probe, for all that wait for it, and never one more than the interval allows", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      const waiting = yield* Effect.fork(Effect.replicateEffect(probeNow(peer.peerId), 3, { concurrency: 3 }))
      yield* TestClock.adjust("8 seconds")
      assert.isNull(waiting.unsafePoll())
      yield* TestClock.adjust("2 seconds")
      const probes = yield* Fiber.join(waiting)
      assert.deepStrictEqual(
        probes.map(({ id }) => id),
        Array.from({ length: 3 }, () => `${peer.peerId} 10000`)
      )
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0, 10_000, 20_000, 30_000])
    }).pipe(Effect.provide(world()))
  )

  it.effect("is not made for a peer that is unknown, away, or left alone for long", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      assert.deepInclude(yield* Effect.flip(probeNow("stranger")), { _tag: "UnknownPeer", peerId: "stranger" })
      yield* TestClock.adjust("2 minutes")
      const [last = 0] = timesOf(script, peer.peerId).slice(-1)
      const soon = yield* Effect.flip(probeNow(peer.peerId))
      assert.strictEqual(soon._tag, "TooSoon")
      const waitMs = soon._tag === "TooSoon" ? soon.retryAfterSeconds * 1000 : 0
      assert.isAbove(waitMs, 1000)
      // Who comes again when told to is served, by the probe that is made then anyway.
      yield* TestClock.adjust(waitMs)
      const served = yield* Effect.fork(probeNow(peer.peerId))
      yield* TestClock.adjust("21 seconds")
      assert.isAbove((yield* Fiber.join(served)).startedAt, last)

      script.up.delete(peer.peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: undefined })
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Effect.flip(probeNow(peer.peerId)))._tag, "NotConnected")
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.succeedSome(new PeerRefused({ reason: "rate_limited", detail: "slow down" }))
        })
      )
    )
  )

  it.effect("ends when the connection is lost before its turn, and when it takes too long", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      const gone = yield* Effect.fork(Effect.flip(probeNow(peer.peerId)))
      yield* TestClock.adjust("1 second")
      script.up.delete(peer.peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: undefined })
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(gone))._tag, "NotConnected")
      script.probe = () => Effect.never
      yield* TestClock.adjust("40 seconds")
      const late = yield* Effect.fork(Effect.flip(probeNow(peer.peerId)))
      yield* TestClock.adjust("45 seconds")
      assert.strictEqual((yield* Fiber.join(late))._tag, "ProbeTookTooLong")
    }).pipe(Effect.provide(world()))
  )

  it.effect("is waited for by so many at most", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const all = yield* Effect.fork(
        Effect.replicateEffect(Effect.either(probeNow(peer.peerId)), 70, { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("10 seconds")
      const results = yield* Fiber.join(all)
      const turnedAway = results.flatMap((result) => (result._tag === "Left" ? [result.left._tag] : []))
      assert.deepStrictEqual(
        turnedAway,
        Array.from({ length: 6 }, () => "TooManyWaiting" as const)
      )
    }).pipe(Effect.provide(world()))
  )

  it.effect("says so when there is nothing to ask", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const nothing = yield* Effect.fork(Effect.flip(probeNow(peer.peerId)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(nothing))._tag, "NothingToAsk")
    }).pipe(Effect.provide(world(() => {}, {}, 4, layerIdleSampler)))
  )
})

describe("many peers", () => {
  it.effect("an actor that dies of a defect is started again, counted, and takes no other with it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("2 minutes")
      const { totals } = yield* Tally
      const { defects, inFlight } = yield* totals
      assert.isAbove(defects, 1)
      assert.strictEqual(inFlight, 0)
      assert.isAbove(timesOf(script, peer.peerId).length, 2)
      assert.strictEqual(timesOf(script, other.peerId).length, 13)
      assert.strictEqual((yield* view(other.peerId)).verdict, "compliant")
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = ({ job }) => (job.peerId === peer.peerId ? Effect.die("a bug") : Effect.succeedNone)
          },
          { addresses: [dialled, other] }
        )
      )
    )
  )

  it.effect("never run more probes at once than there are workers, and take turns", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      assert.strictEqual(script.probes.length, 1)
      yield* TestClock.adjust("14 seconds")
      const { inFlight } = yield* Effect.flatMap(Tally, ({ totals }) => totals)
      assert.strictEqual(inFlight, 1)
      assert.deepStrictEqual(
        script.probes.map(({ peerId }) => peerId),
        [peer.peerId, other.peerId]
      )
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = () => Effect.as(Effect.sleep("10 seconds"), Option.none())
          },
          { addresses: [dialled, other] },
          1
        )
      )
    )
  )

  it.effect("one that leaves while it waits for a worker is not asked, and gets no outcome", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("5 seconds")
      script.up.delete(other.peerId)
      script.connect = (peerId) =>
        peerId === other.peerId
          ? Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
          : Effect.void
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: other.peerId, goodbye: undefined })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(timesOf(script, other.peerId), [])
      assert.isAbove(timesOf(script, peer.peerId).length, 1)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = () => Effect.as(Effect.sleep("10 seconds"), Option.none())
          },
          { addresses: [dialled, other] },
          1
        )
      )
    )
  )

  it.effect("one that comes to us is tracked, and forgotten when it stays away", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const { peerId } = other
      const { views } = yield* Peers
      script.up.add(peerId)
      yield* PubSub.publish(hub, {
        _tag: "Connected",
        peer: { peerId, address: "/ip4/127.0.0.1/tcp/9", agent: "Lodestar/1" }
      })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* view(peerId)).agent, "Teku/1")
      assert.strictEqual(timesOf(script, peerId).length, 2)
      script.up.delete(peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId, goodbye: 1 })
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* views).length, 2)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(
        (yield* views).map((view) => view.peerId),
        [peer.peerId]
      )
    }).pipe(Effect.provide(world()))
  )

  it.effect("those that the filter leaves out are not kept", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { track, views } = yield* Peers
      yield* track(other)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* views, [])
      // One was never dialled, the other was left alone as soon as its agent was known.
      assert.deepStrictEqual(script.connects, [peer.peerId])
      assert.deepStrictEqual(script.goodbyes, [[peer.peerId, 1]])
      assert.deepStrictEqual(script.probes, [])
    }).pipe(
      Effect.provide(world(() => {}, { allows: ({ agent, peerId }) => peerId !== other.peerId && agent !== "Teku/1" }))
    )
  )

  it.effect("end with the scope of the layer", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const started = yield* Ref.make(false)
      yield* TestClock.adjust("1 second").pipe(
        Effect.provide(
          world((script) => {
            script.probe = () =>
              Ref.set(started, true).pipe(
                Effect.zipRight(Effect.never),
                Effect.onInterrupt(() => Deferred.succeed(ended, undefined))
              )
          })
        )
      )
      assert.isTrue(yield* Ref.get(started))
      yield* Deferred.await(ended)
    })
  )
})
