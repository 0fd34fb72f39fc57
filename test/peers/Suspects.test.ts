import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, TestClock } from "effect"
import { PeerRefused } from "../../src/domain/probe/Outcome.ts"
import { peer } from "../probe/FakeWorld.ts"
import { column, confirmed, leavesOut, standing } from "./LeavesOut.ts"
import { dialled, Fakes, ourRoot, saying, view, world } from "./Script.ts"

/** Minutes matter here, not seconds. */
const slowly = { addresses: [dialled], testInterval: Duration.minutes(1), refreshInterval: Duration.minutes(1) }

describe("what is suspected", () => {
  it.effect("is asked for after confirm_after and not before, at most every other time", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("599 seconds")
      assert.deepStrictEqual(confirmed(script), [])
      assert.lengthOf((yield* standing).suspicions, 3)
      yield* TestClock.adjust("76 seconds")
      assert.deepStrictEqual(
        confirmed(script).map(([slot]) => slot),
        [100, 200, 300]
      )
      const purposes = script.probes.filter(({ at }) => at >= 600_000).map(({ asked }) => asked.confirms.length > 0)
      assert.deepStrictEqual(purposes.slice(0, 5), [true, false, true, false, true])
      const jobs = script.probes.filter(({ at }) => at >= 600_000).map(({ asked }) => asked.job)
      assert.deepStrictEqual(jobs[0], { peerId: peer.peerId, startSlot: 100, count: 1, columns: [column] })
      assert.deepStrictEqual((yield* standing).suspicions, [])
      assert.strictEqual((yield* view(peer.peerId)).verdict, "compliant")
    }).pipe(Effect.provide(world(leavesOut([100, 200, 300]))))
  )

  it.effect("waits until it is final to us and to the peer, or for six times as long", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(
        confirmed(script).map(([slot]) => slot),
        [100]
      )
      script.refresh = () => Effect.succeed({ ...saying(8), finalized: { epoch: 20, root: ourRoot } })
      // An escape was counted a while after the first question, and is left alone for twice as long.
      yield* TestClock.adjust("14 minutes")
      assert.deepStrictEqual(
        confirmed(script).map(([slot]) => slot),
        [100, 600]
      )
      yield* TestClock.adjust("19 minutes")
      assert.strictEqual(confirmed(script).at(-1)?.[0], 940)
      assert.isAtLeast(confirmed(script).at(-1)?.[1] ?? 0, 3_600_000)
    }).pipe(
      Effect.provide(
        world((script) => {
          leavesOut([100, 600, 940])(script)
          // Epoch 10 begins at slot 320, 20 at 640, and ours at 928.
          script.refresh = () => Effect.succeed({ ...saying(8), finalized: { epoch: 10, root: ourRoot } })
        }, slowly)
      )
    )
  )

  it.effect("is left alone while the monitor is in doubt of itself, and is forgotten with its block", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      script.doubt = Option.some("too many peers at once")
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(confirmed(script), [])
      assert.lengthOf((yield* standing).suspicions, 1)
      script.doubt = Option.none()
      script.root = "0xanother"
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(confirmed(script), [])
      assert.deepStrictEqual((yield* standing).suspicions, [])
    }).pipe(Effect.provide(world(leavesOut([100]), slowly)))
  )

  for (const [name, finalized, escapes] of [
    ["withholds what is final to it", { epoch: 0, root: "0x00" }, true],
    ["is on a chain of its own", { epoch: 29, root: "0xother" }, true],
    ["has a host that does not say what is final to it", undefined, false]
  ] as const) {
    it.effect(`${escapes ? "counts as escaped" : "does not count as escaped"} by a peer that ${name}`, () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("45 minutes")
        const { evasion } = yield* standing
        assert.deepStrictEqual([evasion.asked, evasion.escaped], escapes ? [2, 2] : [0, 0])
      }).pipe(
        Effect.provide(
          world((script) => {
            leavesOut([100])(script)
            script.refresh = () => Effect.succeed({ ...saying(8), finalized })
          }, slowly)
        )
      )
    )
  }

  it.effect(
    "counts as escaped for as long as the peer withholds what is final to it, also where it is asked for by then",
    () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("4 hours")
        const { evasion } = yield* standing
        assert.isAtLeast(evasion.escaped, 12)
        assert.strictEqual((yield* view(peer.peerId)).verdict, "evasive")
      }).pipe(
        Effect.provide(
          world((script) => {
            const slots = Array.from({ length: 40 }, (_, index) => 100 + index)
            leavesOut(slots, () => "suspected")(script)
            const usual = script.result
            script.result = (request, at) => ({
              ...usual(request, at),
              settling: request.confirms.length > 0 ? Option.some("ours" as const) : Option.none()
            })
            script.refresh = () => Effect.succeed({ ...saying(8), finalized: { epoch: 0, root: "0x00" } })
          }, slowly)
        )
      )
  )

  it.effect(
    "counts as escaped once in confirm_after where the peer escapes the question by root at once, and is kept",
    () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("35 minutes")
        const { evasion } = yield* standing
        assert.deepInclude(evasion, { asked: 4, escaped: 4 })
        assert.strictEqual((yield* view(peer.peerId)).verdict, "compliant")
        yield* TestClock.adjust("3 hours")
        assert.strictEqual((yield* view(peer.peerId)).verdict, "evasive")
      }).pipe(
        Effect.provide(
          world((script) => {
            script.result = () => ({ settling: Option.some("escaped" as const) })
          }, slowly)
        )
      )
  )

  it.effect("escapes once, however much it is, when the peer's claim moves past it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("5 minutes")
      script.refresh = () => Effect.succeed(saying(8, 500))
      yield* TestClock.adjust("3 hours")
      const { evasion, suspicions } = yield* standing
      assert.deepStrictEqual(suspicions, [])
      assert.deepStrictEqual([evasion.asked, evasion.escaped], [1, 1])
      assert.deepStrictEqual(confirmed(script), [])
      assert.strictEqual((yield* view(peer.peerId)).verdict, "compliant")
    }).pipe(Effect.provide(world(leavesOut(Array.from({ length: 40 }, (_, index) => 100 + index)), slowly)))
  )

  it.effect("is escaped by a peer that answers by range, and says that it knows no other protocol", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("25 minutes")
      const { evasion, suspicions } = yield* standing
      assert.lengthOf(suspicions, 1)
      assert.isAtLeast(evasion.escaped, 1)
    }).pipe(
      Effect.provide(
        world((script) => {
          const unsupported = new PeerRefused({ reason: "unsupported_protocol", detail: "by_root" })
          leavesOut([100], () => "suspected")(script)
          const usual = script.result
          script.result = (request, at) => ({
            ...usual(request, at),
            conversation: request.confirms.length > 0 ? "refused" : "answered",
            settling: request.confirms.length > 0 ? Option.some("escaped" as const) : Option.none(),
            error: Option.some(unsupported)
          })
        }, slowly)
      )
    )
  )
})

describe("what is suspected in several slots", () => {
  it.effect("is asked for together where they are near each other, and the rest in its turn", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("20 minutes")
      const asked = script.probes.filter(({ asked }) => asked.confirms.length > 0).map(({ asked }) => asked)
      assert.deepStrictEqual(
        asked.map(({ confirms }) => confirms.map(({ slot }) => slot)),
        [[100, 110, 120, 130], [140], [300]]
      )
      assert.deepStrictEqual(asked[0]?.job, { peerId: peer.peerId, startSlot: 100, count: 31, columns: [column] })
      assert.deepStrictEqual((yield* standing).suspicions, [])
    }).pipe(Effect.provide(world(leavesOut([300, 140, 130, 120, 110, 100]), slowly)))
  )

  it.effect("is forgotten where nobody has to keep it any more, which is no escape", () =>
    Effect.gen(function* () {
      // Columns are kept for 4096 epochs of 32 slots: ten minutes later that of slot 100 is over.
      yield* TestClock.setTime((4096 * 32 + 100 - 572) * 1000)
      yield* Effect.gen(function* () {
        const { script } = yield* Fakes
        yield* TestClock.adjust("15 minutes")
        assert.deepStrictEqual(
          confirmed(script).map(([slot]) => slot),
          [300]
        )
        const { evasion, suspicions } = yield* standing
        assert.deepStrictEqual(suspicions, [])
        assert.deepStrictEqual([evasion.asked, evasion.escaped], [1, 0])
      }).pipe(Effect.provide(world(leavesOut([100, 300]), slowly)))
    })
  )
})

describe("a verdict", () => {
  it.effect("heals when the window is over, by time alone, also of a peer that left", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("11 minutes")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "violating")
      script.connect = () => Effect.never
      script.up.clear()
      script.probe = () => Effect.never
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "violating")
      yield* TestClock.adjust("12 minutes")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "compliant")
    }).pipe(
      Effect.provide(
        world(
          leavesOut([100], () => "missing"),
          { ...slowly, verdictWindow: Duration.hours(1) }
        )
      )
    )
  )
})
