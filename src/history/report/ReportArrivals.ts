import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import { decodeArrivals } from "../../domain/arrival/ArrivalCodec.ts"
import { decodeDelays } from "../../domain/arrival/DelayHistogram.ts"
import { toHex } from "../../domain/Bytes.ts"
import { dayName } from "../../domain/Day.ts"
import type {
  Arrivals,
  ArrivalsOptions,
  SlotArrivals,
  SlotArrivalsOptions
} from "../../domain/report/ArrivalQuestion.ts"
import { blocksPerSlot, delaysColumn, selectArrivalPeers, selectArrivals } from "../store/sqlite/ArrivalRows.ts"
import { query } from "../store/sqlite/SqliteRows.ts"
import { summariseArrivals } from "./ArrivalSummary.ts"
import { periodOf, type ReadError } from "./ReportRows.ts"

/** Sums up arrivals from the sums of each day: the rows of single blocks are not looked at. */
export const arrivals = Effect.fnUntraced(function* (
  connection: Connection,
  { by, limit, ...options }: typeof ArrivalsOptions.Type
): Effect.fn.Return<typeof Arrivals.Type, ReadError> {
  const sums = yield* selectSums(connection, periodOf(options))
  const expected = by === "arrival-client" ? undefined : yield* selectExpected(connection, periodOf(options))
  const group = { arrival: byColumn, "arrival-day": byDay, "arrival-client": byClient }[by]
  return summariseArrivals(
    sums.map(({ arrived, delays, duplicates, late, ...row }) => ({
      group: group(row),
      arrived,
      late,
      duplicates,
      delays: decodeDelays(delays) ?? new Map()
    })),
    expected?.map(({ blocks, missed, ...row }) => ({ group: group({ ...row, client: "" }), expected: blocks, missed })),
    limit
  )
})

/** The rows of the blocks of a slot. */
export const slotArrivals = Effect.fnUntraced(function* (
  connection: Connection,
  { slot }: typeof SlotArrivalsOptions.Type
): Effect.fn.Return<SlotArrivals, ReadError> {
  const first = slot * blocksPerSlot
  const rows = yield* selectArrivals(connection, [first, first + blocksPerSlot - 1])
  const blocks = rows.map((row) => ({ ...row, columns: decodeArrivals(row.columns) ?? [] }))
  const numbers = blocks.flatMap(({ columns }) => columns.flatMap(({ arrival }) => arrival?.peer ?? []))
  const peers = new Map(
    (yield* selectArrivalPeers(connection, [JSON.stringify([...new Set(numbers)])])).map((row) => [row.id, row])
  )
  return blocks.map(({ blobs, columns, root }) => ({
    rootPrefix: toHex(root),
    blobs,
    columns: columns.map(({ arrival, column, isSubscribed }) => {
      if (arrival === null) return { column, isSubscribed, arrival }
      const peer = peers.get(arrival.peer)
      const { duplicates, ms } = arrival
      const client = peer?.client ?? ("unknown" as const)
      return { column, isSubscribed, arrival: { ms, peerId: peer?.peer_id ?? "", client, duplicates } }
    })
  }))
})

interface Group {
  readonly day: number
  readonly column: number
  readonly client: string
}

const byColumn = ({ column }: Group) => column
const byDay = ({ day }: Group) => dayName(day)
const byClient = ({ client }: Group) => client

const selectSums = query(
  `SELECT day, "column", client, arrived, late, duplicates, delays FROM arrival_sums WHERE day BETWEEN ? AND ?`,
  Schema.Struct({
    day: Schema.Number,
    column: Schema.Number,
    client: Schema.String,
    arrived: Schema.Number,
    late: Schema.Number,
    duplicates: Schema.Number,
    delays: delaysColumn
  })
)

const selectExpected = query(
  `SELECT day, "column", blocks, missed FROM arrival_columns WHERE day BETWEEN ? AND ?`,
  Schema.Struct({ day: Schema.Number, column: Schema.Number, blocks: Schema.Number, missed: Schema.Number })
)
