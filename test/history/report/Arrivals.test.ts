import { statSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer } from "effect"
import { dayMs } from "../../../src/domain/Day.ts"
import * as MemoryReports from "../../../src/history/report/MemoryReports.ts"
import { Reports } from "../../../src/history/report/Reports.ts"
import * as ReportsInline from "../../../src/history/report/ReportsInline.ts"
import * as ReportsWorker from "../../../src/history/report/ReportsWorker.ts"
import { retentionPass } from "../../../src/history/retention/Retention.ts"
import { History } from "../../../src/history/store/History.ts"
import { HistoryRecord } from "../../../src/history/store/HistoryRecord.ts"
import { openDatabase } from "../../../src/history/store/sqlite/Database.ts"
import { makeWriter } from "../../../src/history/store/sqlite/SqliteWriter.ts"
import { layer as layerSqlite } from "../../../src/history/store/SqliteHistory.ts"
import { rows, temporaryFolder } from "../store/Fixture.ts"
import { arrivalsContract, arrivalsToRecord, blockArrivals, firstDay } from "./Arrivals.ts"
import { network } from "./ReportsContract.ts"

const recordAll = Effect.flatMap(History, (history) =>
  Effect.forEach(arrivalsToRecord, history.recordArrivals, { discard: true })
)

arrivalsContract(
  "in memory",
  Layer.tap(MemoryReports.layer, (context) => Effect.provide(recordAll, context))
)

/** Each with a program of its own: what is on disk is gone on with. */
const recorded = Effect.gen(function* () {
  const path = join(yield* temporaryFolder, "history.db")
  for (const arrivals of arrivalsToRecord) {
    yield* Effect.flatMap(History, (history) => history.recordArrivals(arrivals)).pipe(
      Effect.provide(layerSqlite({ path }))
    )
  }
  return path
})
const entry = new URL("../../../dist/history/report/ReportWorker.js", import.meta.url)
arrivalsContract("on disk", Layer.unwrapScoped(Effect.map(recorded, (path) => ReportsInline.layer({ path }))))
arrivalsContract(
  "on disk, in a worker thread",
  Layer.unwrapScoped(Effect.map(recorded, (path) => ReportsWorker.layer({ path, entry })))
)

/** `count` blocks of which `columns` came, at any time, from any of 300 peers. */
const manyBlocks = (count: number, columns: number) => {
  let state = 11
  const draw = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
  return Array.from({ length: count }, (_, index) => ({
    ...blockArrivals(12_000_000 + index, []),
    startsAt: firstDay * dayMs + index * 12_000,
    columns: Array.from({ length: columns }, (_, at) => ({
      column: Math.floor((at * 128) / columns),
      isSubscribed: true,
      arrival: {
        ms: 400 + draw(8000),
        peer: { peerId: `16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEv${draw(300)}`, client: "teku" as const },
        duplicates: draw(12)
      }
    }))
  }))
}

const checkpointed = Effect.fnUntraced(function* (path: string, write: Effect.Effect<void, unknown, History>) {
  yield* Effect.provide(write, layerSqlite({ path }))
  return statSync(path).size
})

describe("arrivals on disk", () => {
  for (const [columns, blocks] of [
    [128, 200],
    [8, 3000],
    [4, 6000]
  ] as const) {
    it.scopedLive(
      `take at most 16 bytes a column of a block, all together, where ${columns} columns come`,
      () =>
        Effect.gen(function* () {
          const path = join(yield* temporaryFolder, "history.db")
          const empty = yield* checkpointed(path, Effect.void)
          const full = yield* checkpointed(
            path,
            Effect.flatMap(History, (history) =>
              Effect.forEach(manyBlocks(blocks, columns), history.recordArrivals, { discard: true })
            )
          )
          const perColumn = (full - empty) / (blocks * columns)
          assert.isBelow(perColumn, 16)
          const [row] = yield* rows(path, "SELECT count(*) AS blocks FROM arrivals")
          assert.deepStrictEqual({ ...row }, { blocks })
        }),
      120_000
    )
  }

  it.scopedLive("go after the retention with their peers and sums, and what is younger stays", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const sql = yield* openDatabase(path, network)
      const writer = yield* makeWriter(sql)
      const slotOfDay = (day: number) => (day + 10) * 7200
      const blocks = [0, 1, 2, 3].map((day) => ({
        ...blockArrivals(slotOfDay(day) + 100, [[3, 700]]),
        startsAt: (firstDay + day) * dayMs + 1_200_000
      }))
      const [old, ...young] = blocks.map((arrivals) => HistoryRecord.Arrivals({ arrivals }))
      if (old?._tag !== "Arrivals") return assert.fail("no block")
      const gone = { peerId: "gone", client: "teku" as const }
      const columns = [{ column: 4, isSubscribed: true, arrival: { ms: 1, peer: gone, duplicates: 0 } }]
      yield* writer.write([HistoryRecord.Arrivals({ arrivals: { ...old.arrivals, columns } }), ...young])
      const now = (firstDay + 3) * dayMs + 5_000_000
      const clock = { ...Clock.make(), currentTimeMillis: Effect.succeed(now), unsafeCurrentTimeMillis: () => now }
      yield* retentionPass(sql, writer, { network, retention: Duration.days(2) }).pipe(Effect.withClock(clock))
      const left = yield* Effect.provide(
        Effect.flatMap(Reports, (reports) =>
          Effect.all([
            reports.arrivals({ by: "arrival-day" }),
            Effect.forEach(blocks, ({ slot }) => reports.slotArrivals({ slot }))
          ])
        ),
        ReportsInline.layer({ path })
      )
      assert.deepStrictEqual(
        left[0].rows.map(({ group }) => group),
        ["2024-10-05", "2024-10-06", "2024-10-07"]
      )
      assert.deepStrictEqual(
        left[1].map(({ length }) => length),
        // The retention is exact for blocks, and whole days for sums.
        [0, 0, 1, 1]
      )
      assert.deepStrictEqual(
        (yield* rows(path, "SELECT peer_id FROM arrival_peers")).map((row) => ({ ...row })),
        [{ peer_id: "a" }]
      )
    })
  )

  it.scopedLive("leave outcomes, coverage and peers of the probes alone", () =>
    Effect.gen(function* () {
      const path = yield* recorded
      const tables = ["peers", "probes", "blocks", "coverage", "sums", "column_sums", "findings"]
      for (const table of tables) {
        const [row] = yield* rows(path, `SELECT count(*) AS count FROM ${table}`)
        assert.deepStrictEqual({ ...row }, { count: 0 }, table)
      }
    })
  )
})
