import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Option, PubSub, Ref, Stream, TestClock } from "effect"
import { PeerDisconnected, PeerRefused, ProbeTimeout } from "../../src/domain/probe/Outcome.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import { History } from "../../src/history/store/History.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { ProbeTotals } from "../../src/probe/ProbeTotals.ts"
import { peer, statement } from "../probe/FakeWorld.ts"
import { dialled, Fakes, layerIdleSampler, other, saying, timesOf, view, world } from "./Script.ts"

describe("one peer", () => {
  it.effect("is probed once an interval, refreshed in between, and ends up compliant", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("38 seconds")
      const times = timesOf(script, peer.peerId)
      assert.lengthOf(times, 4)
      const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
      for (const gap of gaps) assert.isTrue(gap >= 10_000 && gap <= 12_500, String(gap))
      assert.isTrue(script.refreshes.length >= 1 + 7 && script.refreshes.length <= 1 + 9)
      const { custody, outcomes, verdict } = yield* view(peer.peerId)
      assert.strictEqual(verdict, "compliant")
      assert.strictEqual(outcomes.success, 4)
      assert.strictEqual(custody?.groupCount, 8)
      assert.deepInclude((yield* ProbeTotals).now(), { started: 4, completed: 4, inFlight: 0, defects: 0 })
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
          script.probe = () => Effect.succeedSome(new PeerRefused({ reason: "too_many_peers", detail: "another time" }))
        })
      )
    )
  )

  it.effect("of another network than the others gets Goodbye 2 and is never probed", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [])
      assert.isNotEmpty(timesOf(script, other.peerId))
      assert.deepStrictEqual(script.goodbyes[0], [peer.peerId, 2])
      const { lastFailure, verdict } = yield* view(peer.peerId)
      assert.strictEqual(verdict, "refusing")
      assert.include(lastFailure ?? "", "0xdeadbeef")
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.refresh = (peerId) =>
              Effect.succeed(peerId === peer.peerId ? { ...statement(8), forkDigest: "0xdeadbeef" } : statement(8))
          },
          { addresses: [other, dialled] }
        )
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
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.none() })
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
      yield* TestClock.adjust("100 millis")
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

describe("a claim", () => {
  it.effect("is refreshed while a probe is under way, and beside it only one request for columns is", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0])
      assert.strictEqual(script.refreshes.length, 1 + 7)
      assert.strictEqual((yield* view(peer.peerId)).custody?.groupCount, 6)
      const [probe] = script.probes
      // What is owed is judged by what it claimed before.
      assert.strictEqual(probe?.asked.claims.current.custodyGroupCount, 8)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.as(Effect.sleep("40 seconds"), Option.none())
          let refreshes = 0
          script.refresh = () => Effect.sync(() => saying(refreshes++ === 0 ? 8 : 6))
        })
      )
    )
  )

  it.effect("that fails ends the session only when the probe under way is recorded", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual(script.connects.length, 1)
      yield* TestClock.adjust("2 minutes")
      assert.isAbove((yield* view(peer.peerId)).outcomes.success, 0)
      assert.isAbove(script.connects.length, 1)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.as(Effect.sleep("15 seconds"), Option.none())
          let refreshes = 0
          script.refresh = () =>
            refreshes++ === 0
              ? Effect.succeed(saying(8))
              : Effect.fail(new PeerDisconnected({ stage: "handshake", detail: "reset" }))
        })
      )
    )
  )

  it.effect(
    "that is not answered in time while columns are sent is asked for again after them, before that counts",
    () =>
      Effect.gen(function* () {
        const { script } = yield* Fakes
        yield* TestClock.adjust("16 seconds")
        assert.strictEqual(script.connects.length, 1)
        assert.strictEqual((yield* view(peer.peerId)).outcomes.success, 1)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(script.connects.length, 1)
        assert.strictEqual((yield* view(peer.peerId)).verdict, "compliant")
      }).pipe(
        Effect.provide(
          world((script) => {
            let isBusy = false
            script.probe = () =>
              Effect.sync(() => {
                isBusy = true
              }).pipe(
                Effect.zipRight(Effect.sleep("15 seconds")),
                Effect.zipRight(
                  Effect.sync(() => {
                    isBusy = false
                  })
                ),
                Effect.as(Option.none())
              )
            script.refresh = () =>
              isBusy
                ? Effect.delay(Effect.fail(new ProbeTimeout({ stage: "handshake", afterMs: 5000 })), "5 seconds")
                : Effect.succeed(saying(8))
          })
        )
      )
  )

  it.effect("of another network is heard during a probe, and Goodbye is said when that is over", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("10 seconds")
      assert.isEmpty(script.goodbyes)
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(script.goodbyes[0], [peer.peerId, 2])
      assert.strictEqual((yield* view(peer.peerId)).outcomes.success, 1)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = ({ job }) =>
              job.peerId === peer.peerId ? Effect.as(Effect.sleep("15 seconds"), Option.none()) : Effect.succeedNone
            const heard = new Set<string>()
            script.refresh = (peerId) =>
              Effect.sync(() => {
                const isFirst = !heard.has(peerId)
                heard.add(peerId)
                return peerId !== peer.peerId || isFirst ? saying(8) : { ...saying(8), forkDigest: "0xdeadbeef" }
              })
          },
          { addresses: [other, dialled] }
        )
      )
    )
  )

  it.effect("of another network, after silence during a probe, ends in a Goodbye and holds no worker", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(script.goodbyes[0], [peer.peerId, 2])
      const before = timesOf(script, other.peerId).length
      yield* TestClock.adjust("1 minute")
      assert.isAbove(timesOf(script, other.peerId).length, before)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            let isBusy = false
            let isForeign = false
            script.probe = ({ job }) =>
              job.peerId === peer.peerId
                ? Effect.acquireUseRelease(
                    Effect.sync(() => (isBusy = true)),
                    () => Effect.as(Effect.sleep("15 seconds"), Option.none()),
                    () => Effect.sync(() => (isBusy = false))
                  )
                : Effect.succeedNone
            script.refresh = (peerId) =>
              Effect.suspend(() => {
                if (peerId !== peer.peerId) return Effect.succeed(saying(8))
                if (!isBusy) return Effect.succeed(isForeign ? { ...saying(8), forkDigest: "0xdeadbeef" } : saying(8))
                isForeign = true
                return Effect.delay(Effect.fail(new ProbeTimeout({ stage: "handshake", afterMs: 5000 })), "5 seconds")
              })
          },
          { addresses: [other, dialled] },
          { workers: 1 }
        )
      )
    )
  )

  it.effect("that a probe heard does not take back what was heard since", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("20 seconds")
      assert.isNotEmpty(script.probes)
      const { custody, findings } = yield* view(peer.peerId)
      assert.strictEqual(custody?.groupCount, 8)
      assert.deepStrictEqual(findings, {})
    }).pipe(
      Effect.provide(
        world((script) => {
          script.refresh = () =>
            Effect.map(Clock.currentTimeMillis, (observedAt) => ({ ...saying(8), sequenceNumber: 5, observedAt }))
          script.probe = () => Effect.as(Effect.sleep("6 seconds"), Option.none())
          script.result = (_request, at) => ({
            statement: Option.some({ ...saying(6), sequenceNumber: 4, observedAt: at })
          })
        })
      )
    )
  )
})

describe("a probe on demand", () => {
  const probeNow = (peerId: string) => Effect.flatMap(Peers, (peers) => peers.probe(peerId))

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
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.none() })
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
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.none() })
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
    }).pipe(Effect.provide(world(() => {}, {}, { sampler: layerIdleSampler })))
  )
})

describe("many peers", () => {
  it.effect("an actor that dies of a defect is started again, counted, and takes no other with it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("2 minutes")
      const { defects, inFlight } = (yield* ProbeTotals).now()
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
      const { inFlight } = (yield* ProbeTotals).now()
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
          { workers: 1 }
        )
      )
    )
  )

  it.effect("one that leaves while it waits for a worker is not asked, and gets no outcome", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("5 seconds")
      script.up.delete(other.peerId)
      script.connect = ({ peerId }) =>
        peerId === other.peerId
          ? Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
          : Effect.void
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: other.peerId, goodbye: Option.none() })
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
          { workers: 1 }
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
        peer: { peerId, address: "/ip4/127.0.0.1/tcp/9", agent: Option.some("Lodestar/1") }
      })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* view(peerId)).agent, "Teku/1")
      assert.strictEqual(timesOf(script, peerId).length, 2)
      script.up.delete(peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId, goodbye: Option.some(1) })
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(views().length, 2)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(
        views().map((view) => view.peerId),
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
      assert.deepStrictEqual(views(), [])
      // One was never dialled, the other was left alone as soon as its agent was known.
      assert.deepStrictEqual(script.connects, [peer.peerId])
      assert.deepStrictEqual(script.goodbyes, [[peer.peerId, 1]])
      assert.deepStrictEqual(script.probes, [])
    }).pipe(
      Effect.provide(
        world(() => {}, { allows: ({ agent, peerId }) => peerId !== other.peerId && !Option.contains(agent, "Teku/1") })
      )
    )
  )

  it.effect("are never we ourselves", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { track, views } = yield* Peers
      yield* track({ ...other, peerId: "us" })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(
        views().map((view) => view.peerId),
        [peer.peerId]
      )
      assert.deepStrictEqual(script.connects, [peer.peerId])
    }).pipe(Effect.provide(world(() => {}, { addresses: [dialled, { ...dialled, peerId: "us" }] })))
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
