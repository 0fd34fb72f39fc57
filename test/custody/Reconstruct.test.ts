import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Either, Layer, Option, TestClock } from "effect"
import { reconstruct } from "../../src/custody/Reconstruct.ts"
import { whomToAsk } from "../../src/custody/Retrieve.ts"
import { makeTally } from "../../src/custody/Tally.ts"
import { concatBytes, toHex } from "../../src/domain/Bytes.ts"
import { NotRecoverable } from "../../src/domain/column/Matrix.ts"
import { viewSidecar } from "../../src/domain/column/SidecarView.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { columnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { SubscribedColumns } from "../../src/arrival/SubscribedColumns.ts"
import { Externs } from "../../src/host/Externs.ts"
import type { Recoverer } from "../../src/kzg/Recoverer.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import type { ColumnQuestion } from "../../src/peers/Questions.ts"
import { makeChain } from "../domain/network/Chains.ts"
import { peerOf } from "../http/FakeDasmon.ts"
import { unprovenColumns } from "../kzg/Columns.ts"

const chain = makeChain({})
const [any] = unprovenColumns
const slot = any?.slot ?? 0
const bodyRoot = any?.ssz.slice(20 + 80, 20 + 112) ?? new Uint8Array(32)
const block: Block = {
  slot,
  root: toHex(any?.blockRoot ?? new Uint8Array(32)),
  parentRoot: toHex(new Uint8Array(32).fill(9)),
  fork: "fulu",
  commitments: any?.commitments ?? [],
  signature: Option.some(new Uint8Array(96)),
  payload: "full",
  proof: {
    proposerIndex: 7,
    stateRoot: new Uint8Array(32).fill(8),
    bodyRoot,
    branch: Array.from({ length: 4 }, (_, height) => new Uint8Array(32).fill(height + 1))
  }
}
const asItWas = (column: number): Uint8Array => unprovenColumns[column]?.ssz ?? new Uint8Array(0)
const views = unprovenColumns.map(({ ssz }) => Either.getOrThrow(viewSidecar("fulu", ssz)))
const topicOf = (column: number) => columnTopic({ forkDigest: forkDigestOfSlot(chain, slot), column })

/** Gives the whole matrix of the block, which is what the columns are made of. */
const wholeMatrix: Recoverer["Type"]["recover"] = () =>
  Effect.succeed({
    rows: [
      {
        row: 0,
        cells: concatBytes(views.map(({ cells }) => cells)),
        proofs: concatBytes(views.map(({ proofs }) => proofs)),
        blob: new Uint8Array(0)
      }
    ],
    bad: []
  })

interface Setting {
  readonly wanted: ReadonlyArray<number>
  readonly recover?: Recoverer["Type"]["recover"]
  /** What the only peer gives when it is asked, and the prober then holds. */
  readonly gives?: (question: ColumnQuestion) => ReadonlyArray<number>
}

const world = ({ gives, recover = wholeMatrix, wanted }: Setting) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(slotStart(chain, slot) + 500)
    const live = Context.get(
      yield* Layer.build(
        LiveMatrix.layer({ memoryBytes: 2 ** 26 }).pipe(
          Layer.provide([Layer.mock(Externs, { chain }), SubscribedColumns.layer, MemoryEventBus.layer()])
        )
      ),
      LiveMatrix
    )
    const hear = (
      columns: ReadonlyArray<number>,
      source: "gossip" | "request" = "gossip",
      sszOf: (column: number) => Uint8Array = asItWas
    ) =>
      Effect.forEach(columns, (column) =>
        live.hold({
          block: { root: block.root, slot, blobs: 1 },
          column,
          fork: "fulu",
          ssz: sszOf(column),
          source,
          at: 0,
          from: "someone"
        })
      )
    const published: Array<{ readonly topic: string; readonly data: Uint8Array }> = []
    const questions: Array<ReadonlyArray<number>> = []
    let recoveries = 0
    const tally = makeTally()
    const all = Array.from({ length: 128 }, (_, column) => column)
    const claim = { groupCount: 128, columns: all, earliestAvailableSlot: 0, source: "metadata" as const }
    yield* reconstruct({
      chain,
      wanted: () => wanted,
      after: Duration.seconds(1),
      live,
      commitments: { range: () => Effect.succeed([{ _tag: "Block", block }]) },
      peers: {
        views: () => (gives === undefined ? [] : [peerOf("them", { custody: claim, headSlot: slot })]),
        ask: (_, question) =>
          Effect.gen(function* () {
            questions.push(question.columns)
            yield* hear(gives?.(question) ?? [], "request")
            return yield* Effect.die("nothing goes by what is returned here")
          }).pipe(Effect.catchAllDefect(() => Effect.never))
      },
      recoverer: {
        recover: (...given) => Effect.suspend(() => (recoveries++, recover(...given))),
        blobs: () => Effect.die("no blobs are asked for")
      },
      publish: (topic, data) => Effect.sync(() => published.push({ topic, data })),
      tally
    })
    // Until the matrix is followed.
    yield* TestClock.adjust("10 millis")
    return { live, hear, published, questions, tally, recoveries: () => recoveries }
  })

/** Step by step: whoever sleeps anew in between does so from that moment on. */
const halfMinute = Effect.repeatN(TestClock.adjust("500 millis"), 60)

const half = Array.from({ length: 64 }, (_, n) => 2 * n)

describe("reconstruction", () => {
  it.scoped(
    "of a block with exactly half of its columns publishes the missing ones once, byte for byte as they were",
    () =>
      Effect.gen(function* () {
        const { hear, live, published, recoveries, tally } = yield* world({ wanted: [0, 1, 2, 3, 127] })
        yield* hear(half.slice(1))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(recoveries(), 0, "63 are too few")
        yield* hear([0])
        yield* TestClock.adjust("999 millis")
        assert.deepStrictEqual(published, [])
        yield* halfMinute
        assert.deepStrictEqual(
          published,
          [1, 3, 127].map((column) => ({ topic: topicOf(column), data: asItWas(column) }))
        )
        const held = yield* live.columns(block.root)
        assert.strictEqual(held.get(127)?.source, "recovered")
        assert.strictEqual(held.size, 67)
        yield* hear([5, 7])
        yield* halfMinute
        assert.deepStrictEqual([published.length, recoveries()], [3, 1])
        const { published: count, recovered } = tally.now()
        assert.deepStrictEqual([recovered, count], [3, 3])
      })
  )

  it.scoped("signs as the block is signed, whatever a sidecar that is held says", () =>
    Effect.gen(function* () {
      const { hear, published } = yield* world({ wanted: [1] })
      yield* hear([0], "request", (column) => asItWas(column).map((byte, at) => (at === 20 + 112 ? byte ^ 1 : byte)))
      yield* hear(half.slice(1))
      yield* halfMinute
      assert.deepStrictEqual(published, [{ topic: topicOf(1), data: asItWas(1) }])
    })
  )

  it.scoped("is not begun where everything that is wanted has come in time", () =>
    Effect.gen(function* () {
      const { hear, published, recoveries } = yield* world({ wanted: [0, 1] })
      yield* hear(half)
      yield* TestClock.adjust("500 millis")
      yield* hear([1])
      yield* halfMinute
      assert.deepStrictEqual([published.length, recoveries()], [0, 0])
    })
  )

  it.scoped("asks peers first, and recovers only what they do not give", () =>
    Effect.gen(function* () {
      const { hear, published, questions } = yield* world({ wanted: [1, 3, 5], gives: () => [3] })
      yield* hear(half)
      yield* halfMinute
      assert.deepStrictEqual(questions, [[1, 3, 5]])
      assert.deepStrictEqual(
        published.map(({ topic }) => topic),
        [topicOf(1), topicOf(5)]
      )
    })
  )

  it.scoped("publishes nothing that came while it was computed", () =>
    Effect.gen(function* () {
      const { hear, published, tally } = yield* world({
        wanted: [1, 3],
        recover: (...given) => Effect.delay(wholeMatrix(...given), "3 seconds")
      })
      yield* hear(half)
      yield* Effect.repeatN(TestClock.adjust("500 millis"), 5)
      yield* hear([3])
      yield* halfMinute
      assert.deepStrictEqual(
        published.map(({ topic }) => topic),
        [topicOf(1)]
      )
      assert.strictEqual(tally.now().recovered, 1)
    })
  )

  it.scoped("that comes to nothing is left", () =>
    Effect.gen(function* () {
      const { hear, published, recoveries } = yield* world({
        wanted: [1],
        recover: () => new NotRecoverable({ row: 0, present: 63, missing: [] })
      })
      yield* hear(half)
      yield* halfMinute
      assert.deepStrictEqual([published.length, recoveries()], [0, 1])
    })
  )
})

describe("whom to ask for columns", () => {
  const claiming = (columns: ReadonlyArray<number>, earliestAvailableSlot = 0) => ({
    groupCount: columns.length,
    columns,
    earliestAvailableSlot,
    source: "metadata" as const
  })
  const of = (peerId: string, part: Parameters<typeof peerOf>[1]) => peerOf(peerId, { headSlot: 100, ...part })

  it("is a connected peer that claims some of them from that slot on, the best one first", () => {
    const views = [
      of("gone", { connected: false, custody: claiming([1, 2, 3]) }),
      of("unknown", { custody: null }),
      of("young", { custody: claiming([1, 2, 3], 101) }),
      of("behind", { custody: claiming([1, 2, 3]), headSlot: 50 }),
      of("other", { custody: claiming([9]) }),
      of("bad", { custody: claiming([1, 2, 3]), score: 0.1 }),
      of("good", { custody: claiming([2, 3]), score: 0.9 })
    ]
    assert.deepStrictEqual(whomToAsk(views, 100, [1, 2, 3], new Set()), {
      peerId: "good",
      columns: [2, 3]
    })
    assert.strictEqual(whomToAsk(views, 100, [1, 2, 3], new Set(["good"]))?.peerId, "bad")
    assert.isUndefined(whomToAsk(views, 100, [1, 2, 3], new Set(["good", "bad"])))
  })
})
