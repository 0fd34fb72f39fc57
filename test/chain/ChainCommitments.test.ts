import { assert, describe, it } from "@effect/vitest"
import { Context, type Duration, Effect, FastCheck, Fiber, Layer, Option, Ref, Schedule, TestClock } from "effect"
import { layer, type ChainCommitmentsOptions } from "../../src/chain/ChainCommitments.ts"
import { makeSlotIndex } from "../../src/chain/SlotIndex.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { SlotFacts } from "../../src/domain/network/Block.ts"
import { type Growth, makeSimulatedChain, type SimulatedChain } from "./SimulatedChain.ts"
import { slotsWithColumns } from "./Slots.ts"
import { layerSeeded } from "../Seeded.ts"

const start = (chain: SimulatedChain, options: Partial<ChainCommitmentsOptions> = {}) =>
  Effect.map(
    Layer.build(
      Layer.provide(layer({ window: "4096 seconds", mode: "background", pause: 0, ...options }), [
        chain.layer,
        layerSeeded
      ])
    ),
    Context.get(CommitmentCache)
  )

/** Lets everything that is under way come to its end: each step lets every fiber that sleeps go on once. */
const settle = (steps = 20) =>
  Effect.forEach(
    Array.from({ length: steps }, () => "1 second" as const),
    TestClock.adjust,
    { discard: true }
  )

const rootOf = (facts: SlotFacts): string | undefined => (facts._tag === "Block" ? facts.block.root : undefined)

/** 200 slots: blocks with 0 to 3 blobs, every seventh slot empty. */
const history: Growth = Array.from({ length: 200 }, (_, index) => (index % 7 === 3 ? null : index % 4))

const chainWithHistory = Effect.tap(makeSimulatedChain(20), (chain) => chain.grow(history))

const withColumns = (chain: SimulatedChain, from = 32): ReadonlyArray<number> =>
  Array.from({ length: chain.head() + 1 }, (_, slot) => slot).filter(
    (slot) => slot >= from && (chain.block(slot)?.commitments.length ?? 0) > 0
  )

const equalsChain = (cache: CommitmentCache["Type"], chain: SimulatedChain, note: string) =>
  Effect.gen(function* () {
    const all = { start: 0, end: chain.head() }
    assert.deepStrictEqual(slotsWithColumns(cache, all), withColumns(chain), `slots with columns ${note}`)
    assert.strictEqual(yield* cache.headSlot, chain.head(), note)
    for (let from = 32; from <= chain.head(); from += 128) {
      const range = { start: from, end: Math.min(from + 127, chain.head()) }
      const facts = yield* cache.range(range)
      assert.deepStrictEqual(
        facts.map(rootOf),
        Array.from({ length: range.end - range.start + 1 }, (_, index) => chain.block(from + index)?.root),
        `blocks ${note}`
      )
    }
  })

/** Tries until it holds, for some seconds of the test's clock. */
const within = <E>(check: Effect.Effect<void, E>) =>
  Effect.sandbox(check).pipe(
    Effect.retry(Schedule.spaced("10 millis").pipe(Schedule.upTo("5 seconds"))),
    Effect.unsandbox
  )

/** Runs an effect that sleeps, with the clock that it sleeps by, which goes on in such steps. */
const runToEnd = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  step: Duration.DurationInput = "500 millis"
): Effect.Effect<A, E, R> =>
  Effect.raceFirst(effect, Effect.forever(Effect.zipRight(TestClock.adjust(step), Effect.yieldNow())))

describe("ChainCommitments", () => {
  it.scoped("fills the window in the background, from the newest slot, and answers from memory then", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain))
      yield* settle()
      assert.deepInclude(yield* cache.progress, { known: chain.head() - 31, wanted: chain.head() - 31, unknown: 0 })
      const asked = chain.queries.length
      yield* runToEnd(equalsChain(cache, chain, ""))
      assert.lengthOf(chain.queries, asked)
      assert.isAbove(chain.queries[0]?.end ?? 0, 190)
      assert.isTrue(chain.queries.every(({ start }) => start >= 32))

      yield* chain.grow([2, null, 1])
      yield* settle(5)
      yield* runToEnd(equalsChain(cache, chain, "after growth"))
      assert.deepStrictEqual(chain.queries.slice(asked), [{ start: 201, end: 203 }])
    })
  )

  it.scoped("asks once however many want the same, and only for what it lacks", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain, { mode: "off", window: "100 seconds" }))
      yield* settle()
      const asked = chain.queries.length
      // Outside the window: not remembered, but answered.
      const old = yield* runToEnd(cache.range({ start: 40, end: 41 }))
      assert.deepStrictEqual(old.map(rootOf), [chain.block(40)?.root, chain.block(41)?.root])
      assert.lengthOf(chain.queries, asked + 1)
      yield* chain.tell({ _tag: "Reorg", slot: 191, depth: 32 })
      const range = { start: 165, end: 190 }
      const all = yield* runToEnd(
        Effect.forEach(Array.from({ length: 20 }), () => cache.range(range), { concurrency: "unbounded" })
      )
      assert.isTrue(
        all.every(
          (facts) => facts.length === 26 && rootOf(facts[0] ?? { _tag: "Empty", slot: 0 }) === chain.block(165)?.root
        )
      )
      assert.lengthOf(chain.queries, asked + 2)
    })
  )

  it.scoped("keeps its memory small, and asks again for blocks that were dropped", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain, { maxBytes: 8_000 }))
      yield* settle()
      assert.deepStrictEqual(slotsWithColumns(cache, { start: 0, end: 1_000 }), withColumns(chain))
      const asked = chain.queries.length
      const facts = yield* runToEnd(cache.range({ start: 40, end: 60 }))
      assert.deepStrictEqual(
        facts.map(rootOf),
        Array.from({ length: 21 }, (_, index) => chain.block(40 + index)?.root)
      )
      assert.isAbove(chain.queries.length, asked)
      yield* runToEnd(equalsChain(cache, chain, "with little memory"))
    })
  )

  it.scoped("goes on without a chain, and catches up when it is back", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      yield* Ref.set(chain.down, true)
      const cache = yield* runToEnd(start(chain))
      yield* settle(30)
      assert.deepStrictEqual(slotsWithColumns(cache, { start: 0, end: 1_000 }), [])
      const error = yield* Effect.flip(runToEnd(cache.range({ start: 40, end: 41 })))
      assert.strictEqual(error.reason, "connection refused")
      assert.strictEqual((yield* Effect.flip(runToEnd(cache.confirm(40))))._tag, "ExternsError")

      yield* Ref.set(chain.down, false)
      yield* chain.grow([1])
      yield* settle(35)
      yield* runToEnd(equalsChain(cache, chain, "after it is back"))
      const before = chain.queries.length
      yield* Ref.set(chain.down, true)
      yield* chain.reorg(3, [1, 1, 1, 1], true)
      yield* settle(30)
      // It is asked again, but not without a pause.
      assert.isBelow(chain.queries.length - before, 30)
      assert.isAbove(chain.queries.length - before, 3)
      yield* Ref.set(chain.down, false)
      yield* settle(30)
      yield* runToEnd(equalsChain(cache, chain, "after a reorg while it was away"))
    })
  )

  it.scoped("refuses slots above the head, and asks for a head that it has not heard of", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain))
      yield* settle()
      const error = yield* Effect.flip(runToEnd(cache.range({ start: 199, end: 210 })))
      assert.include(error.reason, `the head is at slot ${chain.head()}`)
    })
  )

  it.scoped("holds up the start until the window is filled, if asked to", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain, { mode: "preload" }))
      const { known, wanted } = yield* cache.progress
      assert.strictEqual(known, wanted)
      yield* Ref.set(chain.down, true)
      const patient = yield* runToEnd(start(chain, { mode: "preload", preloadLimit: "20 seconds" }))
      assert.strictEqual((yield* patient.progress).known, 0)
    })
  )

  it.scoped("confirms with the chain, corrects itself and remembers what was replaced", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain))
      yield* settle()
      const slot = chain.head() - 2
      const replaced = chain.block(slot)
      // Nobody tells: neither of the reorg nor of the new head.
      yield* chain.reorg(6, [1, 1, 1, 1, 1, 1], false)
      const asked = chain.queries.length
      assert.strictEqual(rootOf(yield* runToEnd(cache.confirm(slot))), chain.block(slot)?.root)
      assert.isAbove(chain.queries.length, asked)
      yield* settle()
      yield* runToEnd(equalsChain(cache, chain, "after confirming"))
      assert.deepStrictEqual(cache.orphan(replaced?.root ?? ""), Option.fromNullable(replaced))
      assert.isTrue(Option.isNone(cache.orphan(chain.block(slot)?.root ?? "")))
    })
  )

  it.scoped("throws away an answer that a reorg overtook", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain))
      yield* settle()
      const slot = chain.head() - 2
      const asked = chain.queries.length
      const confirmed = yield* Effect.fork(cache.confirm(slot))
      // Looked up, but not here yet.
      yield* TestClock.adjust("25 millis")
      assert.lengthOf(chain.queries, asked + 1)
      yield* chain.reorg(6, [1, 1, 1, 1, 1, 1], true)
      assert.strictEqual(rootOf(yield* runToEnd(Fiber.join(confirmed))), chain.block(slot)?.root)
    })
  )

  it.scoped("notices a head that was replaced by one of the same slot, and a chain that came back", () =>
    Effect.gen(function* () {
      const chain = yield* chainWithHistory
      const cache = yield* runToEnd(start(chain))
      yield* settle()
      const first = chain.block(chain.head())
      const before = chain.versions.length - 1
      yield* chain.reorg(1, [1], false)
      yield* settle()
      yield* runToEnd(equalsChain(cache, chain, "after another head"))
      assert.isTrue(Option.isSome(cache.orphan(first?.root ?? "")))
      yield* chain.reinstate(before)
      yield* settle()
      yield* runToEnd(equalsChain(cache, chain, "after the first head came back"))
      assert.isTrue(Option.isNone(cache.orphan(first?.root ?? "")))
    })
  )

  it.scoped("equals the chain whatever happens to it, told or not", () =>
    Effect.gen(function* () {
      const growth = FastCheck.array(FastCheck.oneof(FastCheck.constant(null), FastCheck.nat(3)), {
        minLength: 1,
        maxLength: 40
      }).map((parts): Growth => parts.concat(1))
      const step = FastCheck.oneof(
        FastCheck.record({ kind: FastCheck.constant("grow" as const), growth }),
        FastCheck.record({
          kind: FastCheck.constant("reorg" as const),
          growth,
          depth: FastCheck.integer({ min: 1, max: 80 }),
          told: FastCheck.boolean()
        }),
        FastCheck.record({ kind: FastCheck.constant("confirm" as const), back: FastCheck.nat(60) }),
        FastCheck.record({ kind: FastCheck.constant("range" as const), back: FastCheck.nat(100) }),
        FastCheck.record({ kind: FastCheck.constant("wait" as const), millis: FastCheck.nat(12) })
      )
      const cases = FastCheck.sample(
        FastCheck.record({
          steps: FastCheck.array(step, { minLength: 3, maxLength: 25 }),
          maxBytes: FastCheck.constantFrom(6_000, 2 ** 20)
        }),
        { numRuns: 25, seed: 20261121 }
      )
      for (const [number, { maxBytes, steps }] of cases.entries()) {
        const note = `in case ${number}`
        yield* Effect.scoped(
          Effect.gen(function* () {
            const chain = yield* makeSimulatedChain(2)
            yield* chain.grow(history)
            const cache = yield* runToEnd(start(chain, { maxBytes }), "10 millis")
            for (const step of steps) {
              switch (step.kind) {
                case "grow":
                  yield* chain.grow(step.growth)
                  break
                case "reorg":
                  yield* chain.reorg(step.depth, step.growth, step.told)
                  break
                case "wait":
                  yield* runToEnd(Effect.sleep(step.millis), "1 millis")
                  break
                case "range": {
                  const end = yield* cache.headSlot
                  yield* Effect.forkScoped(Effect.ignore(cache.range({ start: Math.max(32, end - step.back), end })))
                  break
                }
                case "confirm": {
                  const slot = Math.max(32, chain.head() - step.back)
                  const from = chain.versions.length - 1
                  const check = Effect.map(cache.confirm(slot), (facts) => {
                    const allowed = chain.versions.slice(from).map((version) => version.get(slot)?.root)
                    assert.include(allowed, rootOf(facts), `stale block of slot ${slot} ${note}`)
                  })
                  yield* Effect.forkScoped(Effect.catchTag(check, "ExternsError", () => Effect.void))
                  break
                }
              }
            }
            // One more head: the last thing that a node ever says is true.
            yield* chain.grow([1])
            yield* runToEnd(within(equalsChain(cache, chain, note)), "10 millis")
            for (const { root } of chain.versions.at(-1)?.values() ?? []) {
              assert.isTrue(Option.isNone(cache.orphan(root)), `a canonical orphan ${note}`)
            }
          })
        )
      }
    })
  )

  it("tells in order which blocks were replaced, once each, and of none that came back", () => {
    const index = makeSlotIndex(64)
    const [a, b] = [`0x${"0a".repeat(32)}`, `0x${"0b".repeat(32)}`]
    for (let slot = 100; slot < 110; slot++) index.setBlock(slot, a, a, true)
    index.forget(103)
    index.setBlock(103, a, a, true)
    assert.deepStrictEqual(index.replacedSince(0), { seen: 0, blocks: [] })
    index.forget(105)
    index.setBlock(105, b, a, true)
    index.setEmpty(107)
    index.setEmpty(107)
    assert.deepStrictEqual(index.replacedSince(0), {
      seen: 2,
      blocks: [
        { slot: 105, root: a },
        { slot: 107, root: a }
      ]
    })
    index.setBlock(105, a, a, true)
    assert.deepStrictEqual(index.replacedSince(2), { seen: 3, blocks: [{ slot: 105, root: b }] })
    // Slot 164 takes the place of slot 100, which nothing replaced.
    index.setBlock(164, b, a, true)
    assert.strictEqual(index.replacedSince(3).seen, 3)
  })
})
