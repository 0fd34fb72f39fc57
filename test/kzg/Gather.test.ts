import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, TestClock } from "effect"
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
  run: (groups: ReadonlyArray<ColumnGroup>) => Effect.Effect<ReadonlyArray<SidecarVerdict>, VerifierError>
) => {
  const batches: Array<ReadonlyArray<number>> = []
  const gather = makeGather({
    atOnce: 1,
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
})
