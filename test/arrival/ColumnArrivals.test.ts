import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Layer, Metric, Option, Stream, TestClock } from "effect"
import { type AcceptedColumn, ColumnArrivals } from "../../src/arrival/ColumnArrivals.ts"
import { SubscribedColumns } from "../../src/arrival/SubscribedColumns.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { blocksWithColumns, columnsUnjudged, columnArrivalSeconds } from "../../src/domain/metrics/Metrics.ts"
import type { SlotFacts } from "../../src/domain/network/Block.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as MemoryReports from "../../src/history/report/MemoryReports.ts"
import { Reports } from "../../src/history/report/Reports.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import { blockFrom, canonical, parameters } from "../gossip/Columns.ts"

const first = blockFrom(100)
const second = blockFrom(first.slot + 1)
const third = blockFrom(second.slot + 1)
const blocks = new Map([first, second, third].map((block) => [block.slot, canonical(block)]))

/** The chain knows these blocks, and cannot tell anything of slot `silent`. */
const chainOf = (silent: number) =>
  Layer.mock(CommitmentCache, {
    columnSlots: () => 0,
    replacedSince: (seen) => ({ seen, blocks: [] }),
    orphan: () => Option.none(),
    range: ({ start }) => {
      if (start === silent) return new ExternsError({ operation: "blocks", reason: "no answer" })
      const block = blocks.get(start)
      const facts: SlotFacts = block === undefined ? { _tag: "Empty", slot: start } : { _tag: "Block", block }
      return Effect.succeed([facts])
    }
  })

const accepted = (
  block: typeof first,
  column: number,
  ms: number,
  more: Partial<AcceptedColumn> = {}
): AcceptedColumn => ({
  slot: block.slot,
  blockRoot: block.root,
  blobs: block.commitments.length,
  column,
  from: "one",
  at: slotStart(parameters, block.slot) + ms,
  bytes: 5000,
  messageId: `0x${"ab".repeat(20)}`,
  topic: "/eth2/01020304/data_column_sidecar_5/ssz_snappy",
  fork: "fulu",
  ...more
})

/** Everything that `use` needs; with its scope the service closes, and what it has is in the reports of the context. */
const world = Effect.fnUntraced(function* (silent = -1, lag: Layer.Layer<LoopLag> = LoopLag.layerNone) {
  yield* TestClock.setTime(slotStart(parameters, first.slot) - 10_000)
  const stores = yield* Layer.build(
    Layer.mergeAll(MemoryReports.layer, MemoryEventBus.layer(), SubscribedColumns.layer)
  )
  const host = Layer.mock(Host, {
    peerId: "us",
    multiaddrs: [],
    connected: Effect.succeed([
      { peerId: "one", address: "", agent: Option.some("Lighthouse/v8") },
      { peerId: "two", address: "", agent: Option.none() }
    ])
  })
  const open = Layer.build(
    ColumnArrivals.layer.pipe(
      Layer.provide([Layer.mock(Externs, { chain: parameters }), host, chainOf(silent), lag]),
      Layer.provide(Layer.succeedContext(stores))
    )
  )
  return { open: Effect.map(open, Context.get(ColumnArrivals)), stores, reports: Context.get(stores, Reports) }
})

const to = (block: typeof first, ms: number) => TestClock.setTime(slotStart(parameters, block.slot) + ms)

const shares = Effect.gen(function* () {
  const counts: Array<number> = []
  for (const within of ["1s", "2s", "4s", "8s", "12s"] as const) {
    for (const columns of ["all", "half", "some", "none"] as const) {
      counts.push((yield* Metric.value(blocksWithColumns.of({ within, columns }))).count)
    }
  }
  return counts
})

describe("the arrival of columns", () => {
  it.scoped("is told once for each column, with the sender's client and the signed delay", () =>
    Effect.gen(function* () {
      const { open, stores } = yield* world()
      const arrivals = yield* open
      const { events } = yield* Context.get(stores, EventBus).subscribeFrom(0)
      yield* to(first, 300)
      const header = { proposerIndex: 7, parentRoot: "0x01", stateRoot: "0x02" }
      yield* arrivals.accepted(accepted(first, 5, 250, { header }))
      yield* arrivals.accepted(accepted(first, 5, 280))
      yield* arrivals.accepted(accepted(first, 6, -120, { from: "two" }))
      yield* arrivals.accepted(accepted(first, 7, 290, { from: "gone" }))
      assert.strictEqual(yield* Context.get(stores, EventBus).sequence, 3)
      const told = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(events, 3)))
      assert.deepStrictEqual(
        told.map(
          (event) => event._tag === "ColumnArrival" && [event.column, event.arrivalMs, event.client, event.header]
        ),
        [
          [5, 250, "lighthouse", header],
          [6, -120, "unknown", null],
          [7, 290, "unknown", null]
        ]
      )
      assert.deepInclude(told[0], { slot: first.slot, blockRoot: first.root, peerId: "one", bytes: 5000, fork: "fulu" })
      const { count, min } = yield* Metric.value(columnArrivalSeconds.of({ column: "6" }))
      assert.deepStrictEqual([count, min], [1, 0], "an early one counts as none")
    })
  )

  it.scoped("is written half a minute later: first arrivals, copies, also early ones, and what did not come", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world()
      const arrivals = yield* open
      yield* Context.get(stores, SubscribedColumns).tell([5, 6, 7, 8])
      yield* to(first, 300)
      const before = yield* shares
      const place = { slot: first.slot, blockRoot: first.root }
      yield* arrivals.duplicate({ ...place, column: 5 })
      yield* arrivals.accepted(accepted(first, 5, 250))
      yield* arrivals.duplicate({ ...place, column: 5 })
      yield* arrivals.accepted(accepted(first, 5, 290))
      yield* arrivals.accepted(accepted(first, 6, 3000, { from: "two" }))
      yield* arrivals.accepted(accepted(first, 99, 900))
      yield* arrivals.duplicate({ ...place, blockRoot: "0xmadeup", column: 6 })
      yield* to(first, 23_000)
      assert.deepStrictEqual(yield* reports.slotArrivals({ slot: first.slot }), [], "more copies may come")
      yield* to(first, 27_500)
      const [block, ...others] = yield* reports.slotArrivals({ slot: first.slot })
      assert.deepStrictEqual(others, [])
      const peer = { peerId: "one", client: "lighthouse" } as const
      assert.deepStrictEqual(block?.columns, [
        { column: 5, isSubscribed: true, arrival: { ms: 250, ...peer, duplicates: 3 } },
        { column: 6, isSubscribed: true, arrival: { ms: 3000, peerId: "two", client: "unknown", duplicates: 0 } },
        { column: 7, isSubscribed: true, arrival: null },
        { column: 8, isSubscribed: true, arrival: null },
        { column: 99, isSubscribed: false, arrival: { ms: 900, ...peer, duplicates: 0 } }
      ])
      // And the other two blocks, of which nothing came.
      const after = yield* shares
      assert.deepStrictEqual(
        after.map((count, index) => count - (before[index] ?? 0)),
        [
          [0, 0, 1, 2],
          [0, 0, 1, 2],
          [0, 1, 0, 2],
          [0, 1, 0, 2],
          [0, 1, 0, 2]
        ].flat()
      )
      const [missed] = yield* reports.slotArrivals({ slot: third.slot })
      assert.deepStrictEqual(
        missed?.columns.map(({ arrival, column }) => [column, arrival]),
        [5, 6, 7, 8].map((column) => [column, null])
      )
    })
  )

  it.scoped("expects nothing of topics that it has just joined, or is not on", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world()
      const arrivals = yield* open
      yield* to(first, -3000)
      yield* Context.get(stores, SubscribedColumns).tell([5, 6])
      yield* to(first, 500)
      yield* arrivals.accepted(accepted(first, 5, 250))
      yield* to(first, 30_000)
      const [block] = yield* reports.slotArrivals({ slot: first.slot })
      assert.deepStrictEqual(
        block?.columns.map(({ column, isSubscribed }) => [column, isSubscribed]),
        [[5, false]]
      )
    })
  )

  it.scoped("expects nothing of topics on which nobody was heard, or only just", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world()
      const arrivals = yield* open
      const { current, tell } = Context.get(stores, SubscribedColumns)
      yield* tell([5, 6, 7], [5, 6, 99])
      assert.deepStrictEqual([...current()], [5, 6, 7], "it is on all of them")
      yield* to(first, -3000)
      yield* tell([5, 6, 7], [5, 7])
      yield* to(first, 500)
      yield* arrivals.accepted(accepted(first, 7, 250))
      yield* to(first, 30_000)
      const [block] = yield* reports.slotArrivals({ slot: first.slot })
      assert.deepStrictEqual(
        block?.columns.map(({ arrival, column, isSubscribed }) => [column, isSubscribed, arrival?.ms]),
        [
          [5, true, undefined],
          [7, false, 250]
        ]
      )
    })
  )

  it.scoped("is not called missed where our own program was late", () =>
    Effect.gen(function* () {
      let late = { at: 0, ms: 0 }
      const lag = Layer.succeed(LoopLag, { worstSince: (since) => Effect.sync(() => (since <= late.at ? late.ms : 0)) })
      const { open, reports, stores } = yield* world(-1, lag)
      const arrivals = yield* open
      yield* Context.get(stores, SubscribedColumns).tell([5, 6])
      const before = yield* shares
      // While the first block's columns came, and before those of the others.
      late = { at: slotStart(parameters, first.slot) + 400, ms: 1500 }
      yield* to(first, 500)
      yield* arrivals.accepted(accepted(first, 5, 250))
      yield* to(third, 30_000)
      const columnsOf = (slot: number) =>
        Effect.map(reports.slotArrivals({ slot }), ([block]) =>
          block?.columns.map(({ column, isSubscribed }) => [column, isSubscribed])
        )
      assert.deepStrictEqual(yield* columnsOf(first.slot), [[5, true]])
      const all = [
        [5, true],
        [6, true]
      ]
      assert.deepStrictEqual([yield* columnsOf(second.slot), yield* columnsOf(third.slot)], [all, all])
      const { rows } = yield* reports.arrivals({ by: "arrival" })
      assert.deepStrictEqual(
        rows.map(({ expected, group, missed }) => [group, expected, missed]),
        [
          [5, 3, 2],
          [6, 2, 2]
        ]
      )
      const after = yield* shares
      const counted = after.reduce((sum, count, index) => sum + count - (before[index] ?? 0), 0)
      assert.strictEqual(counted, 2 * 5, "of two blocks at five moments")
    })
  )

  it.scoped("is our own doing, and not missed, where it came and was not judged", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world()
      const arrivals = yield* open
      yield* Context.get(stores, SubscribedColumns).tell([5, 6, 7, 8])
      const unjudged = Effect.map(Metric.value(columnsUnjudged), ({ count }) => count)
      const before = { shares: yield* shares, unjudged: yield* unjudged }
      const place = { slot: first.slot, blockRoot: first.root }
      yield* to(first, 500)
      yield* arrivals.accepted(accepted(first, 5, 250))
      yield* arrivals.unjudged({ ...place, column: 6 })
      // One copy was dropped, and another one was accepted.
      yield* arrivals.unjudged({ ...place, column: 5 })
      yield* arrivals.unjudged({ ...place, blockRoot: "0xmadeup", column: 8 })
      yield* arrivals.unheard(7)
      yield* to(third, 30_000)
      const [block] = yield* reports.slotArrivals({ slot: first.slot })
      assert.deepStrictEqual(
        block?.columns.map(({ arrival, column, isSubscribed }) => [column, isSubscribed, arrival?.ms]),
        [
          [5, true, 250],
          [8, true, undefined]
        ]
      )
      const { rows } = yield* reports.arrivals({ by: "arrival" })
      assert.deepStrictEqual(
        rows.map(({ expected, group, missed }) => [group, expected, missed]),
        [
          [5, 3, 2],
          [6, 2, 2],
          [7, 2, 2],
          [8, 3, 3]
        ],
        "of the other blocks they are missed as ever"
      )
      const after = yield* shares
      assert.deepStrictEqual(
        after.map((count, index) => count - (before.shares[index] ?? 0)),
        Array.from({ length: 5 }, () => [0, 1, 0, 2]).flat(),
        "one of the two that could be heard"
      )
      assert.strictEqual((yield* unjudged) - before.unjudged, 2)
    })
  )

  it.scoped("of which nothing could be judged, is in no count", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world()
      const arrivals = yield* open
      yield* Context.get(stores, SubscribedColumns).tell([5])
      yield* to(first, 500)
      yield* arrivals.unjudged({ slot: first.slot, blockRoot: first.root, column: 5 })
      const before = yield* shares
      yield* to(first, 24_900)
      assert.deepStrictEqual(yield* shares, before)
      assert.deepStrictEqual(yield* reports.slotArrivals({ slot: first.slot }), [])
    })
  )

  it.scoped("holds a lone block for the canonical one where the chain does not tell", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world(first.slot)
      const arrivals = yield* open
      yield* Context.get(stores, SubscribedColumns).tell([5, 6])
      yield* to(first, 500)
      yield* arrivals.accepted(accepted(first, 5, 250))
      yield* to(first, 30_000)
      const [block] = yield* reports.slotArrivals({ slot: first.slot })
      assert.deepStrictEqual(
        block?.columns.map(({ column, isSubscribed }) => [column, isSubscribed]),
        [
          [5, true],
          [6, true]
        ]
      )
    })
  )

  it.scoped("adds what comes after it was written", () =>
    Effect.gen(function* () {
      const { open, reports, stores } = yield* world()
      const arrivals = yield* open
      yield* Context.get(stores, SubscribedColumns).tell([5, 6])
      yield* to(first, 500)
      yield* arrivals.accepted(accepted(first, 5, 250))
      yield* to(first, 30_000)
      yield* arrivals.accepted(accepted(first, 6, 29_000))
      yield* arrivals.accepted(accepted(first, 5, 29_500, { from: "two" }))
      yield* to(first, 33_000)
      const [block] = yield* reports.slotArrivals({ slot: first.slot })
      assert.deepStrictEqual(
        block?.columns.map(({ arrival }) => [arrival?.ms, arrival?.peerId, arrival?.duplicates]),
        [
          [250, "one", 1],
          [29_000, "one", 0]
        ]
      )
      const { rows } = yield* reports.arrivals({ by: "arrival" })
      assert.deepStrictEqual(rows.map(({ expected, group, missed }) => [group, expected, missed]).slice(0, 2), [
        [5, 3, 2],
        [6, 3, 2]
      ])
    })
  )

  it.effect("is not lost with the program: what is young is written as it ends, and nothing is called missed", () =>
    Effect.gen(function* () {
      const { reports } = yield* Effect.scoped(
        Effect.gen(function* () {
          const { open, reports, stores } = yield* world()
          yield* Context.get(stores, SubscribedColumns).tell([5, 6])
          yield* Effect.scoped(
            Effect.gen(function* () {
              const arrivals = yield* open
              yield* to(first, 500)
              yield* arrivals.accepted(accepted(first, 5, 250))
            })
          )
          return { reports }
        })
      )
      const { rows } = yield* reports.arrivals({ by: "arrival" })
      assert.deepStrictEqual(
        rows.map(({ arrived, expected, group, missed }) => [group, expected, missed, arrived]),
        [[5, 1, 0, 1]]
      )
    })
  )
})
