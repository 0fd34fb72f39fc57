import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Either, Fiber, Option, TestClock } from "effect"
import { PeerRefused, ProbeTimeout } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import { Peers } from "../../src/peers/Peers.ts"
import type { ColumnQuestion } from "../../src/peers/Questions.ts"
import { peer } from "../probe/FakeWorld.ts"
import { custody } from "../probe/Probes.ts"
import { Fakes, layerIdleSampler, other, type Script, view, world } from "./Script.ts"

const [first = 0, second = 0, third = 0] = custody
const about = (over: Partial<ColumnQuestion> = {}): ColumnQuestion => ({
  slot: 900,
  columns: [first],
  purpose: "availability",
  ...over
})
const ask = (over: Partial<ColumnQuestion> = {}) =>
  Effect.flatMap(Peers, (peers) => peers.ask(peer.peerId, about(over)))
const asked = (over: Partial<ColumnQuestion> = {}) => Effect.fork(Effect.either(ask(over)))
const tagOf = (fiber: Fiber.Fiber<Either.Either<unknown, { readonly _tag: string }>>) =>
  Effect.map(Fiber.join(fiber), Either.match({ onLeft: ({ _tag }) => _tag, onRight: () => "answered" }))
/** The columns of what was asked so, in order. */
const wanted = (script: Script) =>
  script.probes.filter(({ asked }) => asked.wanted !== undefined).map(({ asked }) => asked.job.columns)
/** Only what is wanted is asked. */
const idle = { sampler: layerIdleSampler }
const hour = Duration.hours(1)

describe("a question for columns", () => {
  it.scoped("is put between two tests of the peer, and recorded like any probe", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      assert.strictEqual(script.probes.length, 1)
      const fiber = yield* asked()
      yield* TestClock.adjust("1 millis")
      const { absent, probe, proven } = yield* Effect.flatMap(
        Fiber.join(fiber),
        Either.match({ onLeft: Effect.die, onRight: Effect.succeed })
      )
      assert.deepStrictEqual([probe.purpose, probe.job.startSlot, probe.job.count], ["availability", 900, 1])
      assert.deepStrictEqual([proven.map(({ column }) => column), absent], [[first], []])
      const history = yield* History
      assert.deepStrictEqual(
        Option.map(yield* history.probe(probe.id), ({ purpose }) => purpose),
        Option.some("availability")
      )
      // The next test comes when it would have come.
      yield* TestClock.adjust("9998 millis")
      assert.strictEqual(script.probes.length, 3)
    }).pipe(Effect.provide(world()))
  )

  it.scoped("leaves out what the peer does not claim, and is not put where nothing is left, or nothing exists", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      const foreign = Array.from({ length: 128 }, (_, column) => column).filter((column) => !custody.includes(column))
      const mixed = yield* asked({ columns: [...foreign, second, first] })
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* tagOf(mixed), "answered")
      assert.deepStrictEqual(wanted(script), [[first, second].sort((a, b) => a - b)])
      for (const over of [{ columns: foreign }, { columns: [] }]) {
        const fiber = yield* asked(over)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* tagOf(fiber), "NothingToAsk")
      }
      const peers = yield* Peers
      const unknown = yield* Effect.flip(peers.ask(other.peerId, about()))
      assert.strictEqual(unknown._tag, "UnknownPeer")
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )

  it.scoped("is never put beside another of the same peer, and those of either purpose take turns", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const gate = yield* Effect.makeSemaphore(0)
      let atOnce = 0
      let most = 0
      script.probe = () =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            most = Math.max(most, ++atOnce)
          }),
          () => Effect.as(gate.take(1), Option.none()),
          () => Effect.sync(() => atOnce--)
        )
      yield* TestClock.adjust("1 second")
      const fibers = yield* Effect.forEach(
        [
          about({ columns: [first], purpose: "retrieval" }),
          about({ columns: [second], purpose: "retrieval" }),
          about({ columns: [third], purpose: "retrieval" }),
          about({ columns: [first], slot: 901 })
        ],
        (question) => Effect.tap(asked({ ...question, within: hour }), () => TestClock.adjust("1 millis"))
      )
      for (const _ of fibers) {
        yield* gate.release(1)
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(
        yield* Effect.forEach(fibers, tagOf),
        Array.from(fibers, () => "answered")
      )
      assert.deepStrictEqual(
        script.probes.map(({ asked: { job, wanted } }) => [wanted, job.startSlot]),
        [
          ["retrieval", 900],
          ["availability", 901],
          ["retrieval", 900],
          ["retrieval", 900]
        ]
      )
      assert.strictEqual(most, 1)
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )

  it.scoped("waits no longer than it is told to, and is not put after that", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const done = yield* Deferred.make<void>()
      script.probe = () => Effect.as(Deferred.await(done), Option.none())
      yield* TestClock.adjust("1 second")
      const long = yield* asked({ within: Duration.seconds(30) })
      yield* TestClock.adjust("1 millis")
      const short = yield* asked({ columns: [second], within: Duration.seconds(2) })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* tagOf(short), "ProbeTookTooLong")
      yield* Deferred.succeed(done, undefined)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tagOf(long), "answered")
      assert.deepStrictEqual(wanted(script), [[first]])
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )

  it.scoped("is withdrawn with its caller; one that is put already is recorded, and its peer asked on", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const history = yield* History
      const done = yield* Deferred.make<void>()
      script.probe = () => Effect.as(Deferred.await(done), Option.none())
      yield* TestClock.adjust("1 second")
      const put = yield* asked({ within: hour })
      yield* TestClock.adjust("1 millis")
      const withdrawn = yield* asked({ columns: [second], within: hour })
      const last = yield* asked({ columns: [third], within: hour })
      yield* TestClock.adjust("1 millis")
      yield* Fiber.interrupt(withdrawn)
      yield* Fiber.interrupt(put)
      yield* Deferred.succeed(done, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* tagOf(last), "answered")
      assert.deepStrictEqual(wanted(script), [[first], [third]])
      const ids = script.probes.map(({ at, peerId }) => `${peerId} ${at}`)
      for (const id of ids) assert.isTrue(Option.isSome(yield* history.probe(id)), id)
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )

  it.scoped("stays below the limits of the peer's client, whatever is wanted", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("1 second")
      // Caplin lets one ask for 128 columns at once, and for 12.8 a second after that: each is charged twice at first,
      // and a quarter of it is left for tests.
      const fibers = yield* Effect.forEach(Array.from({ length: 32 }), () =>
        asked({ columns: custody, within: hour, purpose: "retrieval" })
      )
      yield* TestClock.adjust("1 second")
      const atOnce = wanted(script).flat().length
      assert.isAtLeast(atOnce, 96)
      assert.isAtMost(atOnce, 128 + 13)
      yield* TestClock.adjust("5 seconds")
      assert.isAtMost(wanted(script).flat().length, 128 + 6 * 12.8)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([...new Set(yield* Effect.forEach(fibers, tagOf))], ["answered"])
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.agent = "erigon/caplin/v3"
          },
          {},
          idle
        )
      )
    )
  )

  it.scoped("of which too many wait is turned away", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      script.probe = () => Effect.never
      yield* TestClock.adjust("1 second")
      const fibers = yield* Effect.forEach(Array.from({ length: 33 }), () => asked({ within: Duration.seconds(5) }))
      yield* TestClock.adjust("1 millis")
      const tags = yield* Effect.forEach(fibers.slice(32), tagOf)
      assert.deepStrictEqual(tags, ["TooManyWaiting"])
      yield* Effect.forEach(fibers, Fiber.interrupt, { concurrency: "unbounded" })
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )

  it.scoped("fails at once while the peer is left alone: one that was silent, and one that was asked too much", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      for (const error of [
        new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }),
        new PeerRefused({ reason: "rate_limited", detail: "", resultCode: 139 })
      ]) {
        yield* TestClock.adjust("1 minute")
        script.probe = () => Effect.succeedSome(error)
        const silent = yield* asked()
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* tagOf(silent), "answered")
        const count = script.probes.length
        const again = yield* asked()
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* tagOf(again), "TooSoon")
        assert.strictEqual(script.probes.length, count)
      }
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )

  it.scoped("says nothing of how the peer takes other questions", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const history = yield* History
      yield* TestClock.adjust("1 second")
      const before = (yield* history.peer(peer.peerId)).standing.evasion
      script.probe = () => Effect.succeedSome(new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }))
      for (let round = 0; round < 20; round++) {
        yield* asked()
        yield* TestClock.adjust("1 minute")
      }
      assert.isAtLeast(script.probes.length, 20)
      assert.deepStrictEqual((yield* history.peer(peer.peerId)).standing.evasion, before)
      assert.notStrictEqual((yield* view(peer.peerId)).verdict, "evasive")
    }).pipe(Effect.provide(world(() => {}, {}, idle)))
  )
})
