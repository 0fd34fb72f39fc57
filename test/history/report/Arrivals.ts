import { assert } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import type { BlockArrivals } from "../../../src/domain/arrival/BlockArrivals.ts"
import { dayMs } from "../../../src/domain/Day.ts"
import { type ReportError, Reports } from "../../../src/history/report/Reports.ts"
import type { HistoryError } from "../../../src/history/store/History.ts"
import { shared } from "../../Shared.ts"
import { rootOf } from "../store/Fixture.ts"

export const firstDay = 20_000
const peers = [
  { peerId: "a", client: "lighthouse" },
  { peerId: "b", client: "prysm" }
] as const

/** A block of the first day or a later one; `columns` are [column, ms or null, peer, duplicates, subscribed]. */
export const blockArrivals = (
  slot: number,
  columns: ReadonlyArray<readonly [column: number, ms: number | null, peer?: 0 | 1, duplicates?: number, on?: boolean]>,
  more: Partial<BlockArrivals> = {}
): BlockArrivals => ({
  slot,
  blockRoot: rootOf(2 ** 40 + slot).replace("0x0000", "0x1234"),
  blobs: 6,
  startsAt: firstDay * dayMs + slot * 12_000,
  lateMs: 4000,
  columns: columns.map(([column, ms, peer = 0, duplicates = 0, on = true]) => ({
    column,
    isSubscribed: on,
    arrival: ms === null ? null : { ms, peer: peers[peer], duplicates }
  })),
  ...more
})

const orphan = `0x${"ee".repeat(32)}`

/** Blocks of two days. The first comes in three parts, as after a restart; one slot has two blocks. */
export const arrivalsToRecord: ReadonlyArray<BlockArrivals> = [
  blockArrivals(5, [
    [0, 512, 0, 2],
    [1, 900, 1],
    [7, null],
    [9, null]
  ]),
  blockArrivals(5, [
    [0, 3000, 1, 1],
    [7, 4001, 1, 5],
    [100, -40, 1, 0, false]
  ]),
  blockArrivals(6, [
    [0, 1024, 1],
    [1, null],
    [7, 2000]
  ]),
  blockArrivals(6, [[0, 64, 0, 1, false]], { blockRoot: orphan }),
  blockArrivals(7300, [
    [0, 8192, 0],
    [1, 100, 0]
  ])
]

/** What is answered about them, whatever keeps them. */
export const arrivalsContract = (name: string, answers: Layer.Layer<Reports, ReportError | HistoryError>) =>
  shared(`arrivals ${name}`, answers, ({ live }) => {
    const test = (title: string, body: (reports: Reports["Type"]) => Effect.Effect<unknown, ReportError>) =>
      live(title, () => Effect.flatMap(Reports, body))

    test("are summed up by column: what was expected, what came, when, and how often", (reports) =>
      Effect.gen(function* () {
        const { more, rows } = yield* reports.arrivals({ by: "arrival" })
        assert.isFalse(more)
        assert.deepStrictEqual(
          rows.map(({ arrived, duplicates, expected, group, late, missed }) => [
            group,
            expected,
            missed,
            arrived,
            late,
            duplicates
          ]),
          [
            [0, 3, 0, 4, 1, 2 + 2 + 1],
            [1, 3, 1, 2, 0, 0],
            [7, 2, 0, 2, 1, 5],
            [9, 1, 1, 0, 0, 0],
            [100, 0, 0, 1, 0, 0]
          ]
        )
        const [zero, , seven, nine] = rows
        assert.deepInclude(zero, { lateShare: 0.25, p50: 528, p90: 8448, p99: 8448 })
        assert.deepInclude(seven, { lateShare: 0.5, p50: 2016, p90: 4032 })
        assert.deepInclude(nine, { lateShare: null, p50: null, p90: null, p99: null })
      }))

    test("are summed up by day and by who was first, within days, and no further than asked", (reports) =>
      Effect.gen(function* () {
        const days = yield* reports.arrivals({ by: "arrival-day" })
        assert.deepStrictEqual(
          days.rows.map(({ arrived, expected, group, missed }) => [group, expected, missed, arrived]),
          [
            ["2024-10-04", 7, 2, 7],
            ["2024-10-05", 2, 0, 2]
          ]
        )
        const clients = yield* reports.arrivals({ by: "arrival-client" })
        assert.deepStrictEqual(
          clients.rows.map(({ arrived, duplicates, expected, group, late }) => [
            group,
            expected,
            arrived,
            late,
            duplicates
          ]),
          [
            ["lighthouse", null, 5, 1, 2 + 2 + 1],
            ["prysm", null, 4, 1, 5]
          ]
        )
        const later = yield* reports.arrivals({ by: "arrival", since: firstDay + 1, limit: 1 })
        assert.deepStrictEqual([later.more, later.rows.map(({ arrived, group }) => [group, arrived])], [true, [[0, 1]]])
        assert.deepStrictEqual(yield* reports.arrivals({ by: "arrival", until: firstDay - 1 }), {
          more: false,
          rows: []
        })
      }))

    test("are told of each block of a slot, the first of each column with its copies", (reports) =>
      Effect.gen(function* () {
        const came = (ms: number, peer: 0 | 1, duplicates: number) => ({ ms, ...peers[peer], duplicates })
        assert.deepStrictEqual(yield* reports.slotArrivals({ slot: 5 }), [
          {
            rootPrefix: `0x1234${"0".repeat(28)}`,
            blobs: 6,
            columns: [
              { column: 0, isSubscribed: true, arrival: came(512, 0, 4) },
              { column: 1, isSubscribed: true, arrival: came(900, 1, 0) },
              { column: 7, isSubscribed: true, arrival: came(4001, 1, 5) },
              { column: 9, isSubscribed: true, arrival: null },
              { column: 100, isSubscribed: false, arrival: came(-40, 1, 0) }
            ]
          }
        ])
        const six = yield* reports.slotArrivals({ slot: 6 })
        assert.deepStrictEqual(
          six.map(({ columns, rootPrefix }) => [rootPrefix, columns.length]),
          [
            [`0x1234${"0".repeat(28)}`, 3],
            [orphan.slice(0, 34), 1]
          ]
        )
        assert.deepStrictEqual(yield* reports.slotArrivals({ slot: 4 }), [])
      }))
  })
