import type { Connection } from "@effect/sql/SqlConnection"
import { Effect } from "effect"
import { decodeArrivals, encodeArrivals } from "../../../domain/arrival/ArrivalCodec.ts"
import {
  type ArrivedColumn,
  type BlockArrivals,
  type FirstSender,
  mergeArrivals
} from "../../../domain/arrival/BlockArrivals.ts"
import { addDelays, decodeDelays, encodeDelays } from "../../../domain/arrival/DelayHistogram.ts"
import { equalBytes, fromHex } from "../../../domain/Bytes.ts"
import { dayOf } from "../../../domain/Day.ts"
import type { ClientFamily } from "../../../domain/peer/ClientFamily.ts"
import { type ArrivalChange, arrivalChanges } from "../ArrivalSums.ts"
import {
  addColumn,
  blocksPerSlot,
  rootBytes,
  selectArrivalPeers,
  selectArrivals,
  selectSum,
  upsertArrivalPeer,
  upsertArrivals,
  writeSum
} from "./ArrivalRows.ts"
import { only } from "./SqliteRows.ts"

/**
 * Adds what gossip brought of a block to its row and to the sums of its day. What is on disk of the block already stays the
 * first of each column. Of a slot with more than 16 blocks the others are left out. `yieldIfDue` is run between columns.
 */
export const writeArrivals = Effect.fnUntraced(function* (
  connection: Connection,
  arrivals: BlockArrivals,
  yieldIfDue: Effect.Effect<void>
) {
  const day = dayOf(arrivals.startsAt)
  const first = arrivals.slot * blocksPerSlot
  const root = fromHex(arrivals.blockRoot).subarray(0, rootBytes)
  const rows = yield* selectArrivals(connection, [first, first + blocksPerSlot - 1])
  const row = rows.find((row) => equalBytes(row.root, root))
  if (row === undefined && rows.length >= blocksPerSlot) return
  const known = decodeArrivals(row?.columns ?? new Uint8Array()) ?? []
  const clients = yield* clientsOf(connection, known)
  const numbered: Array<ArrivedColumn<number>> = []
  const numbers = new Map<string, number>()
  for (const entry of arrivals.columns) {
    yield* yieldIfDue
    if (entry.arrival === null) numbered.push({ ...entry, arrival: null })
    else {
      const { peer } = entry.arrival
      const number = numbers.get(peer.peerId) ?? (yield* numberOf(connection, peer, day))
      numbers.set(peer.peerId, number)
      numbered.push({ ...entry, arrival: { ...entry.arrival, peer: number } })
    }
  }
  const merged = encodeArrivals(mergeArrivals(known, numbered))
  yield* upsertArrivals(connection, [row?.id ?? first + rows.length, root, arrivals.blobs, merged])
  for (const change of arrivalChanges(known, (peer) => clients.get(peer) ?? "unknown", arrivals)) {
    yield* yieldIfDue
    yield* addChange(connection, day, change)
  }
})

const numberOf = (connection: Connection, { client, peerId }: FirstSender, day: number) =>
  Effect.map(only(upsertArrivalPeer(connection, [peerId, client, day])), ({ id }) => id)

const clientsOf = (connection: Connection, columns: ReadonlyArray<ArrivedColumn<number>>) => {
  const numbers = [...new Set(columns.flatMap(({ arrival }) => (arrival === null ? [] : [arrival.peer])))]
  return numbers.length === 0
    ? Effect.succeed(new Map<number, ClientFamily>())
    : Effect.map(
        selectArrivalPeers(connection, [JSON.stringify(numbers)]),
        (rows) => new Map(rows.map(({ client, id }) => [id, client]))
      )
}

const addChange = Effect.fnUntraced(function* (connection: Connection, day: number, change: ArrivalChange) {
  const { arrived, blocks, client, column, duplicates, late, missed } = change
  if (blocks !== 0 || missed !== 0) yield* addColumn(connection, [day, column, blocks, missed])
  if (client === undefined) return
  const [sum] = yield* selectSum(connection, [day, column, client])
  const delays = new Map(decodeDelays(sum?.delays ?? new Uint8Array()))
  addDelays(delays, change.delays)
  yield* writeSum(connection, [
    day,
    column,
    client,
    (sum?.arrived ?? 0) + arrived,
    (sum?.late ?? 0) + late,
    (sum?.duplicates ?? 0) + duplicates,
    encodeDelays(delays)
  ])
})
