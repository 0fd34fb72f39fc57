import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, FastCheck, Fiber, Option, Scope, TestClock } from "effect"
import { type Column, prepareColumn } from "../../src/kzg/Column.ts"
import { makeGather } from "../../src/kzg/Gather.ts"
import type { CellBatch, Kzg } from "../../src/kzg/Kzg.ts"
import type { SidecarVerdict } from "../../src/kzg/Verifier.ts"
import { VerifierError } from "../../src/kzg/Verifier.ts"
import { type ColumnGroup, verifyColumns } from "../../src/kzg/VerifyColumns.ts"
import { unprovenColumns } from "./Columns.ts"

/** Columns of one cell each, by their indices. */
const columns = unprovenColumns.map((sidecar) => Either.getOrThrow(prepareColumn(sidecar)))
const some = (from: number, count: number): ReadonlyArray<Column> => columns.slice(from, from + count)

/** Columns of which the odd ones from 100 on are guilty. */
const kzg = (calls: Array<CellBatch>): Kzg => ({
  verifyCells: (batch) => {
    calls.push(batch)
    return !batch.indices.some((index) => index >= 100 && index % 2 === 1)
  }
})

const tags = (verdicts: ReadonlyArray<SidecarVerdict>) => verdicts.map(({ _tag }) => _tag)

/** What a gatherer puts into its batches. */
const watched = (
  run: (groups: ReadonlyArray<ColumnGroup>) => Effect.Effect<ReadonlyArray<SidecarVerdict>, VerifierError>,
  atOnce = 1
) => {
  const batches: Array<ReadonlyArray<number>> = []
  const gather = makeGather({
    atOnce,
    inTurn: (effect) => effect,
    run: (groups) => {
      batches.push(groups.map(({ columns }) => columns.length))
      return run(groups)
    }
  })
  return { batches, gather }
}

describe("gathering", () => {
  it.scoped("puts callers that come together into one batch, and gives each its own verdicts", () =>
    Effect.gen(function* () {
      const calls: Array<CellBatch> = []
      const { batches, gather } = watched((groups) => verifyColumns(kzg(calls), groups))
      const { verify } = yield* gather
      const all = yield* Effect.fork(
        Effect.all(
          [some(0, 3), some(99, 4), some(3, 2)].map((columns) => verify({ columns, mostGuilty: Infinity })),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual((yield* Fiber.join(all)).map(tags), [
        ["Valid", "Valid", "Valid"],
        ["Valid", "Valid", "Invalid", "Valid"],
        ["Valid", "Valid"]
      ])
      assert.deepStrictEqual(batches, [[3, 4, 2]])
    })
  )

  it.scoped("ends a caller's part once enough of it is guilty, and nobody else's", () =>
    Effect.gen(function* () {
      const { gather } = watched((groups) => verifyColumns(kzg([]), groups))
      const { verify } = yield* gather
      const all = yield* Effect.fork(
        Effect.all(
          [
            verify({ columns: some(0, 20), mostGuilty: 2 }),
            verify({ columns: some(100, 20), mostGuilty: 2 }),
            verify({ columns: some(20, 20), mostGuilty: 2 })
          ],
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 millis")
      const [first = [], liar = [], last = []] = yield* Fiber.join(all)
      assert.isTrue([...first, ...last].every(({ _tag }) => _tag === "Valid"))
      assert.strictEqual(liar.filter(({ _tag }) => _tag === "Invalid").length, 2)
      assert.isAtLeast(liar.filter(({ _tag }) => _tag === "Skipped").length, 10)
    })
  )

  it.scoped("finds the caller whose columns fail before it looks at single ones", () =>
    Effect.gen(function* () {
      const calls: Array<CellBatch> = []
      const { gather } = watched((groups) => verifyColumns(kzg(calls), groups))
      const { verify } = yield* gather
      const sizes = [33, 33, 33]
      const all = yield* Effect.fork(
        Effect.all(
          [
            ...sizes.map((size, index) => verify({ columns: some(index * size, size), mostGuilty: 3 })),
            verify({ columns: some(101, 1), mostGuilty: 3 })
          ],
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 millis")
      assert.strictEqual((yield* Fiber.join(all)).flat().filter(({ _tag }) => _tag === "Valid").length, 99)
      // The whole, the two callers on the left, the third, and the guilty column by itself.
      assert.deepStrictEqual(
        calls.map(({ indices }) => indices.length),
        [100, 66, 33, 1]
      )
    })
  )

  it.scoped("keeps a caller's failure from the others", () =>
    Effect.gen(function* () {
      const { batches, gather } = watched((groups) =>
        groups.some(({ columns }) => columns.some(({ index }) => index === 7))
          ? new VerifierError({ reason: "cannot" })
          : verifyColumns(kzg([]), groups)
      )
      const { verify } = yield* gather
      const all = yield* Effect.fork(
        Effect.all(
          [some(0, 3), some(5, 5), some(20, 2)].map((columns) =>
            Effect.either(verify({ columns, mostGuilty: Infinity }))
          ),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 millis")
      const [first, second, third] = yield* Fiber.join(all)
      assert.deepStrictEqual(
        [first, second, third].map((one) => one?._tag),
        ["Right", "Left", "Right"]
      )
      assert.deepStrictEqual(batches, [[3, 5, 2], [3], [5], [2]])
    })
  )

  it.scoped("makes smaller batches after guilty ones, and larger ones again after that", () =>
    Effect.gen(function* () {
      const { batches, gather } = watched((groups) => verifyColumns(kzg([]), groups))
      const { verify } = yield* gather
      const many = Array.from({ length: 40 }, () => some(0, 99)).flat()
      const ask = (columns: ReadonlyArray<Column>) =>
        Effect.gen(function* () {
          const asked = yield* Effect.fork(verify({ columns, mostGuilty: Infinity }))
          yield* TestClock.adjust("10 millis")
          return yield* Fiber.join(asked)
        })
      yield* ask(some(101, 1))
      yield* ask(some(101, 1))
      yield* ask(many)
      assert.deepStrictEqual(batches.flat(), [1, 1, 512, 1024, 2048, 376])
    })
  )

  it.scoped("leaves out a caller that has gone", () =>
    Effect.gen(function* () {
      const { batches, gather } = watched((groups) => verifyColumns(kzg([]), groups))
      const { verify } = yield* gather
      const gone = yield* Effect.fork(verify({ columns: some(0, 3), mostGuilty: Infinity }))
      const stays = yield* Effect.fork(verify({ columns: some(3, 4), mostGuilty: Infinity }))
      yield* TestClock.adjust("1 millis")
      yield* Fiber.interrupt(gone)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual((yield* Fiber.join(stays)).length, 4)
      assert.deepStrictEqual(batches, [[4]])
      // And with nobody left it begins anew.
      const again = yield* Effect.fork(verify({ columns: some(0, 1), mostGuilty: Infinity }))
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(tags(yield* Fiber.join(again)), ["Valid"])
    })
  )

  it.scoped("goes on after an interruption at any moment", () =>
    Effect.gen(function* () {
      // A fiber lets others in after 2048 steps, two of which are one here: at each step of a call in turn.
      for (let steps = 1005; steps < 1030; steps++) {
        const { gather } = watched((groups) => verifyColumns(kzg([]), groups))
        const { verify } = yield* gather
        const gone = yield* Effect.fork(
          Effect.zipRight(stepsOf(steps), verify({ columns: some(0, 3), mostGuilty: Infinity }))
        )
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(gone)
        const next = yield* Effect.fork(verify({ columns: some(3, 1), mostGuilty: Infinity }))
        for (let pass = 0; pass < 3; pass++) yield* TestClock.adjust("10 millis")
        assert.isTrue(Option.exists(yield* Fiber.poll(next), Exit.isSuccess), `after ${steps} steps`)
      }
    })
  )

  it.effect("leaves nobody waiting when its scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { gather } = watched(() => Effect.never)
      const { verify } = yield* Scope.extend(gather, scope)
      const ask = Effect.either(verify({ columns: some(0, 3), mostGuilty: Infinity }))
      const atWork = yield* Effect.fork(ask)
      yield* TestClock.adjust("10 millis")
      const waits = yield* Effect.fork(ask)
      yield* TestClock.adjust("1 millis")
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 millis")
      const late = yield* Effect.fork(ask)
      yield* TestClock.adjust("1 millis")
      for (const [name, fiber] of Object.entries({ atWork, waits, late })) {
        assert.isTrue(Option.exists(yield* Fiber.poll(fiber), Exit.isSuccess), name)
        assert.isTrue(Either.isLeft(yield* Fiber.join(fiber)), name)
      }
    })
  )

  it.scoped("sends no thread an empty batch", () =>
    Effect.gen(function* () {
      const { batches, gather } = watched((groups) => verifyColumns(kzg([]), groups), 3)
      const { verify } = yield* gather
      const all = yield* Effect.fork(
        Effect.forEach([0, 10, 20], (from) => verify({ columns: some(from, 5), mostGuilty: 3 }), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("10 millis")
      yield* Fiber.join(all)
      assert.deepStrictEqual(batches, [[5, 5, 5]])
    })
  )

  it.scoped("lets nobody wait for all of a large call", () =>
    Effect.gen(function* () {
      const { batches, gather } = watched((groups) => verifyColumns(kzg([]), groups))
      const { verify } = yield* gather
      const large = Array.from({ length: 100 }, () => some(0, 99)).flat()
      const all = yield* Effect.fork(
        Effect.forEach([large, some(0, 7)], (columns) => verify({ columns, mostGuilty: 3 }), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("10 millis")
      yield* Fiber.join(all)
      assert.deepStrictEqual(batches, [[4096], [7, 4089], [1715]])
    })
  )

  it.scoped("makes smaller batches after one that failed, and tries nothing again for who has gone", () =>
    Effect.gen(function* () {
      let fails = true
      const { batches, gather } = watched((groups) =>
        fails
          ? Effect.zipRight(Effect.sleep("15 seconds"), new VerifierError({ reason: "took too long" }))
          : verifyColumns(kzg([]), groups)
      )
      const { verify } = yield* gather
      const ask = (columns: ReadonlyArray<Column>) => Effect.fork(Effect.either(verify({ columns, mostGuilty: 3 })))
      const first = yield* ask(some(0, 2))
      const gone = yield* ask(some(2, 3))
      const last = yield* ask(some(5, 4))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(gone)
      yield* TestClock.adjust("36 seconds")
      assert.isTrue(Either.isLeft(yield* Fiber.join(first)) && Either.isLeft(yield* Fiber.join(last)))
      assert.deepStrictEqual(batches, [[2, 3, 4], [2], [4]])
      fails = false
      const many = yield* ask(Array.from({ length: 20 }, () => some(0, 99)).flat())
      yield* TestClock.adjust("10 millis")
      yield* Fiber.join(many)
      assert.deepStrictEqual(batches.slice(3), [[512], [1024], [444]])
    })
  )

  it.scoped("gives nobody a verdict where one too few came", () =>
    Effect.gen(function* () {
      const { gather } = watched((groups) =>
        Effect.map(verifyColumns(kzg([]), groups), (verdicts) => verdicts.slice(groups.length > 1 ? 1 : 0))
      )
      const { verify } = yield* gather
      const all = yield* Effect.fork(
        Effect.forEach([some(99, 3), some(98, 2)], (columns) => verify({ columns, mostGuilty: 3 }), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual((yield* Fiber.join(all)).map(tags), [
        ["Valid", "Valid", "Invalid"],
        ["Valid", "Valid"]
      ])
    })
  )

  it.live("ends every call with its own verdicts, whoever leaves and whatever fails", () =>
    Effect.forEach(FastCheck.sample(arbitraryCrowd, { seed: 11, numRuns: 60 }), runCrowd, {
      concurrency: 20,
      discard: true
    })
  )
})

const stepsOf = (count: number): Effect.Effect<void> => {
  let all: Effect.Effect<void> = Effect.void
  for (let step = 0; step < count; step++) all = Effect.zipRight(Effect.void, all)
  return all
}

const arbitraryCrowd = FastCheck.record({
  atOnce: FastCheck.integer({ min: 1, max: 4 }),
  /** Milliseconds that a batch takes, and whether it fails. */
  runs: FastCheck.array(FastCheck.record({ ms: FastCheck.nat(30), fails: FastCheck.nat(5).map((one) => one === 0) }), {
    minLength: 1,
    maxLength: 10
  }),
  callers: FastCheck.array(
    FastCheck.record({
      from: FastCheck.nat(127),
      count: FastCheck.nat(40),
      times: FastCheck.constantFrom(1, 1, 1, 60),
      mostGuilty: FastCheck.constantFrom(0, 1, 3, Infinity),
      comesAt: FastCheck.nat(60),
      leavesAfter: FastCheck.option(FastCheck.nat(60))
    }),
    { minLength: 1, maxLength: 12 }
  )
})

const isOdd = ({ index }: Column): boolean => index >= 100 && index % 2 === 1

const runCrowd = Effect.fnUntraced(function* (crowd: FastCheckValue<typeof arbitraryCrowd>) {
  let runs = 0
  const { verify } = yield* makeGather({
    atOnce: crowd.atOnce,
    inTurn: (effect) => effect,
    run: (groups) =>
      Effect.suspend(() => {
        const { fails, ms } = crowd.runs[runs++ % crowd.runs.length] ?? { fails: false, ms: 0 }
        const ended = fails ? new VerifierError({ reason: "cannot" }) : verifyColumns(kzg([]), groups)
        return Effect.zipRight(Effect.sleep(ms), ended)
      })
  })
  const call = Effect.fnUntraced(function* (caller: (typeof crowd.callers)[number]) {
    const columns = Array.from({ length: caller.times }, () => some(caller.from, caller.count)).flat()
    yield* Effect.sleep(caller.comesAt)
    const asked = yield* Effect.fork(Effect.either(verify({ columns, mostGuilty: caller.mostGuilty })))
    if (caller.leavesAfter !== null) {
      yield* Effect.sleep(caller.leavesAfter)
      yield* Fiber.interrupt(asked)
    }
    const exit = yield* Fiber.await(asked)
    if (Exit.isFailure(exit)) return assert.isNotNull(caller.leavesAfter)
    if (Either.isLeft(exit.value)) return assert.isTrue(crowd.runs.some(({ fails }) => fails))
    const verdicts = exit.value.right
    assert.lengthOf(verdicts, columns.length)
    columns.forEach((column, at) => {
      assert.include(isOdd(column) ? ["Invalid", "Skipped"] : ["Valid", "Skipped"], verdicts[at]?._tag)
    })
    const guilty = verdicts.filter(({ _tag }) => _tag === "Invalid").length
    // Nobody is skipped before enough is guilty, and little is found after that.
    if (verdicts.some(({ _tag }) => _tag === "Skipped")) assert.isAtLeast(guilty, caller.mostGuilty)
    assert.isAtMost(guilty, caller.mostGuilty * crowd.atOnce)
  })
  yield* Effect.forEach(crowd.callers, (caller) => Effect.timeout(call(caller), "20 seconds"), {
    concurrency: "unbounded",
    discard: true
  })
}, Effect.scoped)

type FastCheckValue<A> = A extends FastCheck.Arbitrary<infer T> ? T : never
