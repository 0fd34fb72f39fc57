import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, PubSub, Stream, TestClock } from "effect"
import type { Event } from "../../src/domain/Event.ts"
import type { Job } from "../../src/domain/probe/Job.ts"
import { ProbeTimeout } from "../../src/domain/probe/Outcome.ts"
import { EvidenceStore } from "../../src/evidence/EvidenceStore.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import { History, HistoryError } from "../../src/history/store/History.ts"
import { makeRecorder } from "../../src/history/store/Recorder.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { NotDialled } from "../../src/host/Host.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { ProbeTotals } from "../../src/probe/ProbeTotals.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import { Sampler } from "../../src/sampler/Sampler.ts"
import { piece } from "../evidence/Pieces.ts"
import { peer, statement } from "../probe/FakeWorld.ts"
import { goodbyeRefusal } from "../../src/wire/Refusal.ts"
import { dialled, Fakes, layerSampler, other, timesOf, view, world } from "./Script.ts"

/** Everything that is told from now on. */
const told = Effect.gen(function* () {
  const bus = yield* EventBus
  const events: Array<Event> = []
  const stream = yield* bus.subscribe
  yield* Effect.forkScoped(Stream.runForEach(stream, (event) => Effect.sync(() => events.push(event))))
  return events
})

const historyWith = (over: (history: History["Type"]) => Partial<History["Type"]>) =>
  Layer.effect(
    History,
    Effect.map(History, (history) => History.of({ ...history, ...over(history) }))
  ).pipe(Layer.provide(MemoryHistory.layer))

describe("a snapshot", () => {
  it.scoped("holds what was told and nothing that was not, while the history waits for its disk", () =>
    Effect.gen(function* () {
      const bus = yield* EventBus
      const peers = yield* Peers
      yield* TestClock.adjust("1 second")
      // The probe is told, and its record waits.
      const [taken, sequence] = yield* bus.inOneStep(({ sequence }) => [peers.views(), sequence()] as const)
      const before = yield* Effect.map(bus.subscribeFrom(0), ({ events }) => Stream.take(events, sequence))
      const events = [...(yield* Stream.runCollect(before))]
      assert.isTrue(events.some(({ _tag }) => _tag === "Sampling"))
      assert.strictEqual(taken[0]?.outcomes.success, 1)
      assert.strictEqual(taken[0]?.verdict, "compliant")
      assert.isTrue(events.some((event) => event._tag === "NodeTracking" && event.change === "verdict"))
    }).pipe(Effect.provide(world(() => {}, {}, { history: historyWith(() => ({ recordProbe: () => Effect.never })) })))
  )

  it.scoped("and the events after it give what a later snapshot holds, at whatever moment it is taken", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const bus = yield* EventBus
      const peers = yield* Peers
      const first = yield* Effect.map(bus.subscribeFrom(0), ({ events }) => events)
      const events: Array<Event> = []
      yield* Effect.forkScoped(Stream.runForEach(first, (event) => Effect.sync(() => events.push(event))))
      const taken: Array<{ readonly sequence: number; readonly connected: boolean; readonly success: number }> = []
      for (let step = 0; step < 40; step++) {
        yield* TestClock.adjust("3300 millis")
        if (step % 7 === 5) {
          script.up.delete(peer.peerId)
          yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.none() })
        }
        const one = yield* bus.inOneStep(({ sequence }) => ({ sequence: sequence(), views: peers.views() }))
        const [{ connected, outcomes } = { connected: false, outcomes: { success: 0 } }] = one.views
        taken.push({ sequence: one.sequence, connected, success: outcomes.success })
      }
      yield* TestClock.adjust("1 second")
      const replayed = { connected: false, success: 0 }
      for (const event of events) {
        if (event._tag === "Sampling") replayed.success += event.probe.outcomes.length
        if (event._tag === "NodeTracking") replayed.connected = event.peer.connected
        for (const { sequence, ...state } of taken.filter(({ sequence }) => sequence === event.sequence)) {
          assert.deepStrictEqual(state, replayed, `at event ${sequence}`)
        }
      }
      assert.isTrue(events.some((event) => event._tag === "NodeTracking" && event.change === "disconnected"))
      assert.isAbove(replayed.success, 5)
    }).pipe(Effect.provide(world()))
  )
})

describe("what is our own doing", () => {
  for (const [name, error, lag] of [
    ["a dial that was never made", new NotDialled({ detail: "too many dials" }), 0],
    ["a dial that timed out while we were too busy to hear", new ProbeTimeout({ stage: "dial", afterMs: 8000 }), 3000]
  ] as const) {
    it.scoped(`is no conversation with the peer: ${name}`, () =>
      Effect.gen(function* () {
        const events = yield* told
        const { script } = yield* Fakes
        yield* TestClock.adjust("5 minutes")
        assert.isAbove(script.connects.length, 2)
        const { lastFailure, verdict } = yield* view(peer.peerId)
        assert.deepStrictEqual([verdict, lastFailure], ["unknown", null])
        const history = yield* History
        assert.strictEqual((yield* history.peer(peer.peerId)).conversations.unanswered, 0)
        assert.isFalse(events.some((event) => event._tag === "NodeTracking" && event.change === "failed"))
      }).pipe(
        Effect.provide(
          world(
            (script) => {
              script.connect = () => Effect.fail(error)
            },
            {},
            { lag: Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(lag) })) }
          )
        )
      )
    )
  }

  it.scoped("is not a handshake that timed out while we were too busy either", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "unknown")
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.refresh = () => Effect.fail(new ProbeTimeout({ stage: "handshake", afterMs: 5000 }))
          },
          {},
          { lag: Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(3000) })) }
        )
      )
    )
  )
})

describe("a peer that waits for a worker", () => {
  const asked: Array<{ readonly peerId: string; readonly head: number; readonly at: number }> = []
  /** Takes note of when a job was chosen, and by which claim. */
  const noting = Layer.effect(
    Sampler,
    Effect.map(Sampler, (sampler) =>
      Sampler.of({
        ...sampler,
        next: (peerId, claims, ...more) =>
          Effect.clockWith((clock) => {
            asked.push({ peerId, head: claims.current.headSlot, at: clock.unsafeCurrentTimeMillis() })
            return sampler.next(peerId, claims, ...more)
          })
      })
    )
  ).pipe(Layer.provide(layerSampler))

  it.scoped("is refreshed meanwhile, and its job is chosen only then, by what it claims then", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      asked.length = 0
      let head = 100
      script.refresh = () => Effect.succeed({ ...statement(8), headSlot: head })
      yield* TestClock.adjust("1 second")
      const refreshed = script.refreshes.length
      head = 150
      yield* TestClock.adjust("28 seconds")
      assert.isAtLeast(script.refreshes.filter((peerId) => peerId === other.peerId).length, 7)
      assert.isAbove(script.refreshes.length, refreshed)
      assert.deepStrictEqual(timesOf(script, other.peerId), [])
      assert.deepStrictEqual(
        asked.map(({ peerId }) => peerId),
        [peer.peerId]
      )
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(asked.at(-1), { peerId: other.peerId, head: 150, at: 30_000 })
      assert.deepStrictEqual(timesOf(script, other.peerId), [30_000])
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = () => Effect.as(Effect.sleep("30 seconds"), Option.none())
          },
          { addresses: [dialled, other] },
          { workers: 1, sampler: noting }
        )
      )
    )
  )
})

describe("a probe of a certain job", () => {
  const job: Job = { peerId: peer.peerId, startSlot: 77, count: 2, columns: [1, 2] }

  it.scoped("takes the peer's next turn, within the same budget, and gives what came of just that job", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const peers = yield* Peers
      yield* TestClock.adjust("1 second")
      const anything = yield* Effect.fork(peers.probe(peer.peerId))
      const certain = yield* Effect.fork(peers.probe(peer.peerId, job))
      const later = yield* Effect.fork(peers.probe(peer.peerId, { ...job, startSlot: 99 }))
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual((yield* Fiber.join(certain)).job, job)
      assert.deepStrictEqual((yield* Fiber.join(anything)).job, job)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(later)).job.startSlot, 99)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(timesOf(script, peer.peerId), [0, 10_000, 20_000, 30_000])
    }).pipe(Effect.provide(world()))
  )
})

describe("who is watched", () => {
  it.scoped("are those too who were connected before anyone listened", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("15 seconds")
      assert.isTrue((yield* view(other.peerId)).connected)
      assert.lengthOf(timesOf(script, other.peerId), 2)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.up.add(other.peerId)
          },
          { addresses: [] }
        )
      )
    )
  )

  it.scoped("is dialled at the new address as soon as it is heard of, and told of", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const events = yield* told
      const { track } = yield* Peers
      const moved = "/ip4/127.0.0.1/udp/9/quic-v1"
      script.connect = ({ multiaddrs }) =>
        multiaddrs.includes(moved) ? Effect.void : Effect.fail(new ProbeTimeout({ stage: "dial", afterMs: 1 }))
      yield* TestClock.adjust("4 minutes")
      const before = yield* view(peer.peerId)
      assert.deepStrictEqual([before.connected, before.transport], [false, null])
      yield* track({ ...dialled, enrCustodyGroupCount: Option.some(9), multiaddrs: [moved] })
      yield* track({ ...dialled, multiaddrs: [moved] })
      yield* TestClock.adjust("1 second")
      const { address, connected, transport } = yield* view(peer.peerId)
      assert.deepStrictEqual([address, connected, transport], [moved, true, "quic"])
      const changes = events.flatMap((event) => (event._tag === "NodeTracking" ? [event.change] : []))
      assert.lengthOf(
        changes.filter((change) => change === "address"),
        1
      )
    }).pipe(
      Effect.provide(
        world((script) => {
          script.connect = () => Effect.fail(new ProbeTimeout({ stage: "dial", afterMs: 1 }))
        })
      )
    )
  )

  it.scoped("are not more than the most; the others are counted until there is room for them", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const { passedOver, track, views } = yield* Peers
      yield* track(other)
      yield* track(other)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([views().length, passedOver()], [1, 1])
      script.up.delete(peer.peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.none() })
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(views(), [])
      yield* track(other)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([views().map(({ peerId }) => peerId), passedOver()], [[other.peerId], 0])
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.up.add(peer.peerId)
          },
          { addresses: [], maxPeers: 1 }
        )
      )
    )
  )

  it.scoped("is tracked and left alone while the history cannot be read, and known as before once it can", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "unknown")
      assert.deepStrictEqual(script.connects, [])
      broken.now = false
      yield* TestClock.adjust("1 minute")
      assert.isTrue((yield* view(peer.peerId)).connected)
      assert.isAbove((yield* view(peer.peerId)).outcomes.success, 0)
    }).pipe(
      Effect.provide(
        world(
          () => {},
          {},
          {
            history: historyWith(({ peer }) => ({
              peer: (peerId) =>
                broken.now ? Effect.fail(new HistoryError({ operation: "read", reason: "no disk" })) : peer(peerId)
            }))
          }
        )
      )
    )
  )
  const broken = { now: true }
})

describe("the end", () => {
  it.scoped("begins no probe for those that wait, and is the end of all at once", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const { halt } = yield* Peers
      yield* TestClock.adjust("1 second")
      assert.lengthOf(script.probes, 1)
      const halting = yield* Effect.fork(halt)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(halting)
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(script.probes, 1)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.probe = () => Effect.onInterrupt(Effect.never, () => Effect.sleep("500 millis"))
          },
          { addresses: [dialled, other] },
          { workers: 1 }
        )
      )
    )
  )

  it.scoped("keeps the evidence of what was told, when it comes while something else goes wrong", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 seconds")
      const { pieces } = yield* Effect.flatMap(EvidenceStore, ({ state }) => state)
      assert.isAbove(pieces, 0)
      assert.strictEqual((yield* ProbeTotals).now().inFlight, 0)
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.evidence = [piece({ peer: peer.peerId, at: 1 })]
          },
          {},
          { history: historyWith(() => ({ recordProbe: () => Effect.dieMessage("a bug of the store") })) }
        )
      )
    )
  )
})

describe("a disk that stands still", () => {
  const written: Array<string> = []
  const disk = Effect.unsafeMakeLatch(false)
  /** The history's own queue over a disk that does not write until it is told to. */
  const stalled = Layer.scoped(
    History,
    Effect.gen(function* () {
      const { record } = yield* makeRecorder<string>({
        weigh: () => 1,
        capacity: 100,
        write: (ids) =>
          Effect.zipRight(
            disk.await,
            Effect.sync(() => void written.push(...ids))
          )
      })
      return History.of({ ...(yield* History), recordProbe: ({ id }) => record(id) })
    })
  ).pipe(Layer.provide(MemoryHistory.layer))

  it.scoped("and a listener that reads nothing lengthen no probe, nor the time between two", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const bus = yield* EventBus
      const unread = yield* bus.subscribe
      yield* Effect.forkScoped(Stream.runForEach(unread, () => Effect.never))
      yield* TestClock.adjust("5 minutes")
      const gaps = script.probes.slice(1).map(({ at }, place) => at - (script.probes[place]?.at ?? 0))
      assert.isAtLeast(gaps.length, 20)
      // Ten seconds and up to a quarter more, and a moment until it is a peer's turn.
      assert.isAtMost(Math.max(...gaps), 13_000)
      assert.deepStrictEqual(written, [])
      yield* disk.open
      yield* TestClock.adjust("1 second")
      assert.includeMembers(
        written,
        script.probes.map(({ asked, at }) => `${asked.job.peerId} ${at}`)
      )
    }).pipe(Effect.ensuring(disk.open), Effect.provide(world(() => {}, {}, { history: stalled })))
  )
})

describe("a store", () => {
  const recorded: Array<string> = []
  it.scoped("that takes seconds for a record gets each of them once, and probing goes on", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      recorded.length = 0
      yield* TestClock.adjust("2 minutes")
      assert.isAtLeast(recorded.length, 8)
      assert.strictEqual(new Set(recorded).size, recorded.length)
      assert.isAtMost(script.probes.length - recorded.length, 1)
    }).pipe(
      Effect.provide(
        world(
          () => {},
          {},
          {
            history: historyWith(() => ({
              recordProbe: ({ id }) =>
                Effect.delay(
                  Effect.sync(() => void recorded.push(id)),
                  "2500 millis"
                )
            }))
          }
        )
      )
    )
  )

  it.scoped("whose coverage cannot be counted costs the probe, and no count of those under way", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      const { completed, inFlight, started } = (yield* ProbeTotals).now()
      assert.deepStrictEqual([completed, inFlight], [0, 0])
      assert.isAbove(started, 1)
    }).pipe(
      Effect.provide(
        world(
          () => {},
          {},
          {
            sampler: Layer.effect(
              Sampler,
              Effect.map(Sampler, (sampler) => Sampler.of({ ...sampler, record: () => Effect.dieMessage("a bug") }))
            ).pipe(Layer.provide(layerSampler))
          }
        )
      )
    )
  )
})

describe("a peer that could not be dialled", () => {
  it.scoped("is probed as soon as it comes by itself", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("4 minutes")
      script.connect = () => Effect.void
      script.up.add(peer.peerId)
      const { peerId } = peer
      yield* PubSub.publish(hub, { _tag: "Connected", peer: { peerId, address: "/ip4/1.2.3.4", agent: Option.none() } })
      yield* TestClock.adjust("1 second")
      assert.lengthOf(timesOf(script, peerId), 1)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.connect = () => Effect.fail(new ProbeTimeout({ stage: "dial", afterMs: 1 }))
        })
      )
    )
  )
})

describe("a peer that the host calls connected, and cannot connect to", () => {
  it.scoped("is waited for all the same, and not dialled without end", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("30 minutes")
      assert.isBelow(script.connects.length, 15)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.up.add(peer.peerId)
          script.connect = () =>
            Effect.delay(Effect.fail(new ProbeTimeout({ stage: "dial", afterMs: 50 })), "50 millis")
        })
      )
    )
  )
})

describe("a job of someone else", () => {
  it.scoped("is not asked when it is not owed, or of another peer", () =>
    Effect.gen(function* () {
      const peers = yield* Peers
      yield* TestClock.adjust("1 second")
      const job: Job = { peerId: peer.peerId, startSlot: 5000, count: 2, columns: [1, 2] }
      const beyond = yield* Effect.fork(Effect.flip(peers.probe(peer.peerId, job)))
      const foreign = yield* Effect.flip(peers.probe(peer.peerId, { ...job, peerId: other.peerId }))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([(yield* Fiber.join(beyond))._tag, foreign._tag], ["NothingToAsk", "NothingToAsk"])
    }).pipe(Effect.provide(world()))
  )
})

describe("a peer that sends us away", () => {
  const leaves = (goodbye: number) =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      script.up.delete(peer.peerId)
      yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.some(goodbye) })
      yield* TestClock.adjust("1 second")
    })

  it.scoped("with a ban is told of as what it is, and visited after an hour, and then after two", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      yield* leaves(0)
      const { lastFailure, verdict } = yield* view(peer.peerId)
      assert.strictEqual(verdict, "refusing")
      assert.include(lastFailure, "goodbye 0 right after identify: Lighthouse and Grandine ban a peer")
      const history = yield* History
      assert.strictEqual((yield* history.peer(peer.peerId)).conversations.refused, 1)
      yield* TestClock.adjust("59 minutes")
      assert.lengthOf(script.connects, 1)
      yield* TestClock.adjust("8 minutes")
      assert.lengthOf(script.connects, 2)
      yield* TestClock.adjust("1 minute")
      yield* leaves(0)
      assert.include((yield* view(peer.peerId)).lastFailure, "score has fallen too low")
      yield* TestClock.adjust("119 minutes")
      assert.lengthOf(script.connects, 2)
      yield* TestClock.adjust("14 minutes")
      assert.lengthOf(script.connects, 3)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.succeedSome(new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }))
        })
      )
    )
  )

  it.scoped("for want of room is left alone for ten minutes, and met at once when it comes by itself", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      yield* TestClock.adjust("15 seconds")
      const before = timesOf(script, peer.peerId).length
      yield* leaves(129)
      // Word of another address is no word of more room.
      const peers = yield* Peers
      yield* peers.track({ ...dialled, multiaddrs: ["/ip4/127.0.0.1/tcp/99"] })
      yield* TestClock.adjust("9 minutes")
      assert.lengthOf(script.connects, 1)
      script.up.add(peer.peerId)
      const { peerId } = peer
      yield* PubSub.publish(hub, { _tag: "Connected", peer: { peerId, address: "/ip4/1.2.3.4", agent: Option.none() } })
      yield* TestClock.adjust("1 second")
      assert.lengthOf(timesOf(script, peerId), before + 1)
      yield* leaves(129)
      yield* TestClock.adjust("9 minutes")
      assert.lengthOf(script.connects, 2)
      yield* TestClock.adjust("13 minutes")
      assert.lengthOf(script.connects, 3)
    }).pipe(Effect.provide(world()))
  )

  it.scoped("in answer to a request is told of once, and left alone as long", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const history = yield* History
      yield* TestClock.adjust("1 second")
      yield* leaves(129)
      assert.strictEqual((yield* history.peer(peer.peerId)).conversations.refused, 1)
      yield* TestClock.adjust("9 minutes")
      assert.lengthOf(script.connects, 1)
    }).pipe(
      Effect.provide(
        world((script) => {
          script.refresh = () => Effect.fail(goodbyeRefusal(129))
        })
      )
    )
  )

  it.scoped("and has no address is forgotten as ever, and not dialled at once where one is heard of", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const peers = yield* Peers
      const comes = (peerId: string) =>
        PubSub.publish(hub, { _tag: "Connected", peer: { peerId, address: "/ip4/1.2.3.4", agent: Option.none() } })
      const banned = (peerId: string) =>
        PubSub.publish(hub, { _tag: "Disconnected", peerId, goodbye: Option.some(251) })
      yield* TestClock.adjust("1 second")
      for (const { peerId } of [peer, other]) yield* comes(peerId)
      yield* TestClock.adjust("1 second")
      script.up.clear()
      for (const { peerId } of [peer, other]) yield* banned(peerId)
      yield* TestClock.adjust("30 seconds")
      yield* peers.track(dialled)
      yield* TestClock.adjust("5 minutes")
      assert.isTrue(Option.isNone(peers.view(other.peerId)))
      assert.isTrue(Option.isSome(peers.view(peer.peerId)))
      assert.lengthOf(script.connects, 2)
      yield* TestClock.adjust("70 minutes")
      assert.lengthOf(script.connects, 3)
    }).pipe(Effect.provide(world(() => {}, { addresses: [] })))
  )

  it.scoped("because it is shut down is visited as ever", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      yield* leaves(1)
      assert.strictEqual((yield* view(peer.peerId)).verdict, "compliant")
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(script.connects, 2)
    }).pipe(Effect.provide(world()))
  )
})
