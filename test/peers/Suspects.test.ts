import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, TestClock } from "effect"
import type { Outcome } from "../../src/domain/probe/Job.ts"
import { type OutcomeKind, PeerRefused } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import type { ProbeRequest } from "../../src/probe/Prober.ts"
import { peer } from "../probe/FakeWorld.ts"
import { dialled, Fakes, ourRoot, saying, type Script, view, world } from "./Script.ts"
import { claimOf } from "../probe/FakeWorld.ts"

const [column = -1] = claimOf(saying(8)).columns

const outcomeAt = (slot: number, outcome: OutcomeKind): Outcome => ({
  slot,
  column,
  outcome,
  ...(outcome === "suspected" ? { suspicion: "missing" as const } : {}),
  blockRoot: ourRoot,
  blobs: 1
})

/** The first probe leaves these slots out; later ones bring what they ask for. */
const leavesOut =
  (slots: ReadonlyArray<number>, then: (request: ProbeRequest) => OutcomeKind = () => "success") =>
  (script: Script): void => {
    let isFirst = true
    script.result = (request) => {
      const { confirms } = request
      if (confirms.length > 0)
        return { probe: { outcomes: confirms.map(({ slot }) => outcomeAt(slot, then(request))) } }
      const outcomes = isFirst ? slots.map((slot) => outcomeAt(slot, "suspected")) : [outcomeAt(4, "success")]
      isFirst = false
      return { probe: { outcomes } }
    }
  }

const confirmed = (script: Script) =>
  script.probes.flatMap(({ asked, at }) => asked.confirms.map(({ slot }) => [slot, at] as const))

const standing = Effect.flatMap(History, (history) => Effect.map(history.peer(peer.peerId), (known) => known.standing))

describe("what is suspected", () => {
  it.effect("is asked for after confirm_after and not before, at most every other time", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("599 seconds")
      assert.deepStrictEqual(confirmed(script), [])
      assert.lengthOf((yield* standing).suspicions, 3)
      yield* TestClock.adjust("51 seconds")
      assert.deepStrictEqual(confirmed(script), [
        [100, 600_000],
        [200, 620_000],
        [300, 640_000]
      ])
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
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        confirmed(script).map(([slot]) => slot),
        [100, 600]
      )
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(confirmed(script).at(-1)?.[0], 940)
      assert.isAtLeast(confirmed(script).at(-1)?.[1] ?? 0, 3_600_000)
    }).pipe(
      Effect.provide(
        world((script) => {
          leavesOut([100, 600, 940])(script)
          // Epoch 10 begins at slot 320, 20 at 640, and ours at 928.
          script.refresh = () => Effect.succeed({ ...saying(8), finalized: { epoch: 10, root: ourRoot } })
        })
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
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(confirmed(script), [])
      assert.deepStrictEqual((yield* standing).suspicions, [])
    }).pipe(Effect.provide(world(leavesOut([100]))))
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
          })
        )
      )
    )
  }

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
    }).pipe(Effect.provide(world(leavesOut(Array.from({ length: 40 }, (_, index) => 100 + index)))))
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
        })
      )
    )
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
          { addresses: [dialled], verdictWindow: Duration.hours(1) }
        )
      )
    )
  )
})
