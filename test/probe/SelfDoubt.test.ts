import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, TestClock } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import type { Checkpoint } from "../../src/domain/peer/Claim.ts"
import { MissingColumn, ProbeTimeout, type ProbeError, Suspected } from "../../src/domain/probe/Outcome.ts"
import { Externs } from "../../src/host/Externs.ts"
import type { Finality } from "../../src/probe/Finality.ts"
import { SelfDoubt } from "../../src/probe/SelfDoubt.ts"
import type { Finished } from "../../src/probe/VerifyDelivered.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { chain } from "./FakeWorld.ts"

/** A chain whose head is at slot 1000, in epoch 31; `final` may change. */
const world = (told: { final: Option.Option<Checkpoint> } = { final: Option.some({ epoch: 29, root: "0x" }) }) =>
  SelfDoubt.layer({ confirmAfter: Duration.minutes(10) }).pipe(
    Layer.provide([
      Layer.mock(Externs, { chain }),
      Layer.mock(CommitmentCache, {
        columnSlots: () => 0,
        replacedSince: (seen) => ({ seen, blocks: [] }),
        orphan: () => Option.none(),
        headSlot: Effect.succeed(1000),
        finalized: Effect.sync(() => told.final)
      })
    ]),
    Layer.provideMerge(Layer.merge(Doubts.layer, Daemons.layer))
  )

const blockAt = (slot: number): Block => ({
  slot,
  root: `0x${slot}`,
  parentRoot: "0x",
  fork: "gloas",
  commitments: [new Uint8Array(48)],
  signature: Option.none(),
  payload: "full"
})

const finished = (slot: number, error?: ProbeError): Finished => ({
  block: blockAt(slot),
  column: 3,
  error: Option.fromNullable(error)
})

const agents = ["Prysm/v7", "teku/v26"]

/** So many peers of two clients come to this, the first `bad` of them with an error in these slots. */
const hear = (
  slots: (peer: number) => ReadonlyArray<number>,
  peers: number,
  bad: number,
  error: (slot: number) => ProbeError
) =>
  Effect.flatMap(SelfDoubt, (doubt) =>
    Effect.forEach(
      Array.from({ length: peers }).keys(),
      (peer) =>
        doubt.hear(
          `peer ${peer}`,
          Option.fromNullable(agents[peer % 2]),
          slots(peer).map((slot) => (peer < bad ? finished(slot, error(slot)) : finished(slot)))
        ),
      { discard: true }
    )
  )

const suspected = () => new Suspected({ suspicion: "missing", detail: "left out" })
const missing = (slot: number) => new MissingColumn({ slot, column: 3, detail: "left out again" })
const late = () => new ProbeTimeout({ stage: "body", afterMs: 1 })

const reason = Effect.flatMap(SelfDoubt, (doubt) => Effect.map(doubt.reason, Option.getOrNull))
const reasonAt = (slot: number) =>
  Effect.flatMap(SelfDoubt, (doubt) => Effect.map(doubt.reasonAt, (at) => Option.getOrNull(at(slot))))
const doubts = Effect.flatMap(Doubts, ({ all }) => all)

const named = (counts: Partial<Record<Finality["agreement"], number>>) =>
  Effect.flatMap(SelfDoubt, (doubt) =>
    Effect.forEach(
      Object.entries(counts).flatMap(([agreement, count]) =>
        Array.from({ length: count }, (_, peer) => [agreement, `${agreement} ${peer}`] as const)
      ),
      ([agreement, peerId]) =>
        isAgreement(agreement) ? doubt.hearFinality(peerId, { upTo: 0, ours: 0, agreement }) : Effect.die(agreement),
      { discard: true }
    )
  )
const isAgreement = (name: string): name is Finality["agreement"] =>
  ["ours", "other", "unknown", "withheld"].includes(name)
const peersAgree = Effect.flatMap(SelfDoubt, (doubt) => doubt.peersAgree)

describe("the monitor suspects itself", () => {
  for (const [name, error] of [
    ["suspect", suspected],
    ["to be accused", missing]
  ] as const) {
    it.scoped(`while most peers are ${name} together, says so, and not after that`, () =>
      Effect.gen(function* () {
        yield* hear((peer) => [10 * peer, 10 * peer + 1], 8, 0, error)
        yield* TestClock.adjust("15 minutes")
        assert.isNull(yield* reason)
        yield* hear((peer) => [10 * peer + 2, 10 * peer + 3], 8, 6, error)
        assert.match((yield* reason) ?? "", /^6 of 6 peers that were sound .*: nobody is accused while it is so; check/)
        assert.deepStrictEqual(yield* doubts, [])
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* doubts, [(yield* reason) ?? ""])
        assert.strictEqual(yield* reasonAt(900), yield* reason)
        for (const offset of [4, 5]) {
          yield* TestClock.adjust("6 minutes")
          yield* hear((peer) => [10 * peer + offset], 8, 0, error)
        }
        assert.isNull(yield* reason)
        assert.deepStrictEqual(yield* doubts, [])
      }).pipe(Effect.provide(world()))
    )
  }

  it.scoped("of one slot only, until it is sound there", () =>
    Effect.gen(function* () {
      yield* hear(() => [1, 2, 3], 8, 0, suspected)
      yield* hear(() => [50], 8, 5, suspected)
      assert.isNull(yield* reason)
      assert.strictEqual(yield* reasonAt(50), "too many peers were suspect in slot 50")
      yield* TestClock.adjust("61 minutes")
      assert.isNull(yield* reason)
      assert.deepStrictEqual(yield* doubts, [])
      assert.strictEqual(yield* reasonAt(50), "too many peers were suspect in slot 50")
      assert.isNull(yield* reasonAt(51))
      yield* hear(() => [4, 5, 50], 8, 0, suspected)
      assert.isNull(yield* reasonAt(50))
    }).pipe(Effect.provide(world()))
  )

  it.scoped("of several slots, which is no reason to spare a block that is withheld", () =>
    Effect.gen(function* () {
      const sparesBlocks = Effect.flatMap(Doubts, ({ sparesBlocks }) => sparesBlocks)
      yield* hear(() => [1, 2, 3, 4, 5, 6], 8, 0, suspected)
      yield* hear(() => [50, 51, 52, 53], 8, 5, suspected)
      assert.match((yield* reason) ?? "", /^in 4 slots more than half of .*: nobody is accused while it is so; check/)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* doubts, [(yield* reason) ?? ""])
      assert.strictEqual(yield* reasonAt(900), yield* reason)
      assert.deepStrictEqual(yield* sparesBlocks, Option.none())
      yield* Effect.flatMap(Doubts, ({ set }) => set("finality", Option.some("nothing is finalized")))
      assert.deepStrictEqual(yield* sparesBlocks, Option.some("nothing is finalized"))
    }).pipe(Effect.provide(world()))
  )

  it.scoped("not by what proves nothing, nor by peers of one client", () =>
    Effect.gen(function* () {
      yield* hear(() => [1, 2, 3], 8, 0, suspected)
      yield* hear(() => [50, 51, 52, 53], 8, 8, late)
      const doubt = yield* SelfDoubt
      for (let peer = 0; peer < 12; peer++) {
        yield* doubt.hear(`prysm ${peer}`, Option.some("Prysm/v7"), [finished(50, suspected())])
      }
      assert.isNull(yield* reason)
      assert.isNull(yield* reasonAt(50))
    }).pipe(Effect.provide(world()))
  )

  it.scoped("for what others have reason to doubt", () =>
    Effect.gen(function* () {
      yield* Effect.flatMap(Doubts, ({ set }) => set("clock", Option.some("the clock is wrong")))
      assert.strictEqual(yield* reason, "the clock is wrong")
      assert.strictEqual(yield* reasonAt(5), "the clock is wrong")
    }).pipe(Effect.provide(world()))
  )
})

describe("what a scan finds of blocks", () => {
  it.scoped("speaks of these, and not of the monitor", () =>
    Effect.gen(function* () {
      const doubt = yield* SelfDoubt
      yield* hear((peer) => [10 * peer, 10 * peer + 1], 8, 0, suspected)
      for (let peer = 0; peer < 8; peer++)
        yield* doubt.hearOfBlocks(`peer ${peer}`, [finished(500 + peer, suspected())])
      yield* doubt.hearOfBlocks("giver", [finished(900)])
      assert.isNull(yield* reason)
      assert.isNull(yield* reasonAt(500))
      assert.deepStrictEqual([...(yield* doubt.given("0x900", "accused"))], [3])
      const lacked = yield* doubt.takeLacked
      assert.deepStrictEqual(lacked[0], { peerId: "peer 0", slot: 500, root: "0x500", columns: [3] })
      assert.strictEqual(lacked.length, 8)
      assert.deepStrictEqual(yield* doubt.takeLacked, [])
      // Of what nobody takes the newest are kept.
      for (let slot = 0; slot < 100; slot++) yield* doubt.hearOfBlocks("a", [finished(slot, suspected())])
      assert.deepStrictEqual(
        (yield* doubt.takeLacked).map(({ slot }) => slot),
        Array.from({ length: 64 }, (_, n) => 36 + n)
      )
    }).pipe(Effect.provide(world()))
  )
})

describe("what is final to the peers", () => {
  it.scoped(
    "is of another chain than ours to most of them, three at least: then it is likelier that we are wrong",
    () =>
      Effect.gen(function* () {
        yield* named({ ours: 2, other: 2 })
        assert.isNull(yield* reason)
        yield* named({ ours: 3, other: 3 })
        assert.isNull(yield* reason)
        yield* named({ ours: 3, other: 4, unknown: 20 })
        assert.match((yield* reason) ?? "", /^4 of 7 peers have finalized another chain than the beacon node: nobody/)
        assert.isFalse(yield* peersAgree)
        yield* TestClock.adjust("61 minutes")
        assert.isNull(yield* reason)
      }).pipe(Effect.provide(world()))
  )

  it.scoped("is ours to most of them, three at least, before one that differs is held to escape", () =>
    Effect.gen(function* () {
      yield* named({ ours: 2, unknown: 9 })
      assert.isFalse(yield* peersAgree)
      yield* named({ ours: 3, other: 2 })
      assert.isTrue(yield* peersAgree)
      yield* named({ other: 3 })
      assert.isFalse(yield* peersAgree)
      yield* TestClock.adjust("61 minutes")
      yield* named({ ours: 2 })
      assert.isFalse(yield* peersAgree)
    }).pipe(Effect.provide(world()))
  )
})

describe("a network that does not finalize", () => {
  it.scoped("is told, with the epochs that it lacks, until it does again", () => {
    const told = { final: Option.some({ epoch: 24, root: "0x" }) }
    return Effect.gen(function* () {
      yield* TestClock.adjust("5 seconds")
      const sentence = "nothing was finalized in the last 7 epochs: nobody is newly accused until that goes on"
      assert.deepStrictEqual(yield* doubts, [sentence])
      told.final = Option.some({ epoch: 25, root: "0x" })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* doubts, [])
    }).pipe(Effect.provide(world(told)))
  })

  it.scoped("is not concluded from a chain that has not told anything yet, for a minute", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* doubts, [])
      yield* TestClock.adjust("6 seconds")
      assert.match((yield* doubts).join(), /^nothing was finalized in the last 31 epochs/)
    }).pipe(Effect.provide(world({ final: Option.none() })))
  )
})
