import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream, TestClock } from "effect"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { SubscribedColumns } from "../../src/arrival/SubscribedColumns.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { Externs } from "../../src/host/Externs.ts"
import { LiveMatrix, type VerifiedColumn } from "../../src/matrix/LiveMatrix.ts"
import { parameters } from "../gossip/Columns.ts"

const size = 1000
const column = (slot: number, column: number, more: Partial<VerifiedColumn> = {}): VerifiedColumn => ({
  block: { slot, root: `0x${slot}`, blobs: 3 },
  fork: "fulu",
  column,
  ssz: new Uint8Array(size),
  source: "gossip",
  at: slotStart(parameters, slot) + 400,
  from: "them",
  ...more
})

const withMatrix = <A, E>(
  memoryBytes: number,
  use: (matrix: LiveMatrix["Type"]) => Effect.Effect<A, E, EventBus | SubscribedColumns>
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(slotStart(parameters, 100) + 500)
    return yield* Effect.flatMap(LiveMatrix, use).pipe(
      Effect.provide(
        LiveMatrix.layer({ memoryBytes }).pipe(
          Layer.provide(Layer.mock(Externs, { chain: parameters })),
          Layer.provideMerge(Layer.merge(MemoryEventBus.layer(), SubscribedColumns.layer))
        )
      )
    )
  })

const plenty = 2 ** 26

describe("the live matrix", () => {
  it.effect("tells of each block of a slot what came of it, from where and since when", () =>
    withMatrix(plenty, (matrix) =>
      Effect.gen(function* () {
        assert.isTrue(yield* matrix.hold(column(100, 9)))
        assert.isTrue(yield* matrix.hold(column(100, 5, { source: "recovered", from: undefined })))
        assert.isTrue(yield* matrix.hold(column(100, 5, { block: { slot: 100, root: "0xorphan", blobs: 1 } })))
        assert.isFalse(yield* matrix.hold(column(100, 9, { source: "request", from: "others" })), "the first is kept")
        const [block, orphan] = yield* matrix.at(100)
        assert.deepStrictEqual(
          [orphan?.blockRoot, orphan?.held, orphan?.columns.map(({ rows }) => rows)],
          ["0xorphan", 1, [[0]]]
        )
        const shared = { rows: [0, 1, 2], at: slotStart(parameters, 100) + 400, sinceMs: 400, inMemory: true }
        assert.deepStrictEqual(block, {
          slot: 100,
          blockRoot: "0x100",
          blobs: 3,
          columns: [
            { ...shared, column: 5, source: "recovered", peerId: null },
            { ...shared, column: 9, source: "gossip", peerId: "them" }
          ],
          held: 2,
          needed: 62,
          recoverable: false
        })
        assert.deepStrictEqual(yield* matrix.at(99), [])
      })
    )
  )

  it.effect("gives the bytes of what is held, without a larger buffer that they lie in", () =>
    withMatrix(plenty, (matrix) =>
      Effect.gen(function* () {
        const part = new Uint8Array(1_000_000).fill(7).subarray(10, 10 + size)
        const own = new Uint8Array(size)
        yield* matrix.hold(column(100, 1, { ssz: part }))
        yield* matrix.hold(column(100, 2, { ssz: own }))
        const held = yield* matrix.columns("0x100")
        assert.deepStrictEqual(held.get(1)?.ssz, part)
        assert.strictEqual(held.get(1)?.ssz.buffer.byteLength, size)
        assert.strictEqual(held.get(2)?.ssz, own, "its own buffer is not copied")
        assert.strictEqual((yield* matrix.columns("0xother")).size, 0)
      })
    )
  )

  it.effect("stays within its bytes: the oldest slots lose theirs, and keep what is known of them", () =>
    withMatrix(10 * size, (matrix) =>
      Effect.gen(function* () {
        for (let at = 0; at < 8; at++) yield* matrix.hold(column(99, at))
        for (let at = 0; at < 8; at++) yield* matrix.hold(column(98, at))
        for (let at = 0; at < 3; at++) yield* matrix.hold(column(100, at))
        assert.deepStrictEqual(
          yield* Effect.forEach([98, 99, 100], (slot) => Effect.map(matrix.columns(`0x${slot}`), ({ size }) => size)),
          [0, 0, 3]
        )
        const [old] = yield* matrix.at(99)
        assert.strictEqual(old?.held, 8)
        assert.isTrue(old?.columns.every(({ inMemory }) => !inMemory))
      })
    )
  )

  it.effect("forgets blocks after 64 slots, and takes none that is as old", () =>
    withMatrix(plenty, (matrix) =>
      Effect.gen(function* () {
        assert.isFalse(yield* matrix.hold(column(36, 0)))
        assert.isTrue(yield* matrix.hold(column(37, 0)))
        yield* TestClock.setTime(slotStart(parameters, 101))
        yield* matrix.hold(column(101, 0))
        assert.deepStrictEqual(yield* matrix.at(37), [])
      })
    )
  )

  it.effect("holds of very many blocks the newest", () =>
    withMatrix(plenty, (matrix) =>
      Effect.gen(function* () {
        for (let at = 0; at < 300; at++) {
          yield* matrix.hold(
            column(at < 100 ? 99 : 100, 0, { block: { slot: at < 100 ? 99 : 100, root: `${at}`, blobs: 1 } })
          )
        }
        const counts = yield* Effect.forEach([99, 100], (slot) => Effect.map(matrix.at(slot), ({ length }) => length))
        assert.deepStrictEqual(counts, [56, 200])
      })
    )
  )

  it.effect("tells of a first column, of all that we are on, of half and of all, each once", () =>
    withMatrix(plenty, (matrix) =>
      Effect.gen(function* () {
        yield* Effect.flatMap(SubscribedColumns, ({ tell }) => tell([1, 3]))
        const { events } = yield* Effect.flatMap(EventBus, (bus) => bus.subscribeFrom(0))
        yield* matrix.hold(column(100, 0))
        yield* matrix.hold(column(100, 0))
        for (let at = 1; at < 128; at++) yield* matrix.hold(column(100, at, at > 60 ? { source: "recovered" } : {}))
        const told = [...(yield* Stream.runCollect(Stream.take(events, 4)))]
        assert.deepStrictEqual(
          told.map((event) => event._tag === "MatrixProgress" && [event.stage, event.held, event.sinceMs]),
          [
            ["first", 1, 400],
            ["subscribed", 4, 400],
            ["recoverable", 64, 400],
            ["complete", 128, 400]
          ]
        )
        assert.deepInclude(told[3], { sources: { gossip: 61, request: 0, recovered: 67 }, blobs: 3, slot: 100 })
        assert.strictEqual(yield* Effect.flatMap(EventBus, ({ sequence }) => sequence), 4)
      })
    )
  )

  it.effect("tells of new columns, and when a block has so many", () =>
    withMatrix(plenty, (matrix) =>
      Effect.gen(function* () {
        const heard = yield* Effect.fork(Stream.runCollect(Stream.take(matrix.changes, 2)))
        const half = yield* Effect.fork(matrix.reached("0x100", 64))
        yield* TestClock.adjust("1 second")
        for (let at = 0; at < 63; at++) yield* matrix.hold(column(100, at))
        yield* TestClock.adjust("1 second")
        assert.isTrue((yield* Fiber.poll(half))._tag === "None")
        yield* matrix.hold(column(100, 63, { source: "request" }))
        assert.strictEqual((yield* Fiber.join(half)).size, 64)
        assert.strictEqual((yield* matrix.reached("0x100", 64)).size, 64)
        assert.deepStrictEqual(
          [...(yield* Fiber.join(heard))].map(({ block, column, held }) => [block.root, column, held]),
          [
            ["0x100", 0, 1],
            ["0x100", 1, 2]
          ]
        )
        const [matrixOf] = yield* matrix.at(100)
        assert.deepInclude(matrixOf, { held: 64, needed: 0, recoverable: true })
      })
    )
  )
})
