import { Schema } from "effect"
import { decodeArrivals } from "../../../domain/arrival/ArrivalCodec.ts"
import { decodeDelays } from "../../../domain/arrival/DelayHistogram.ts"
import { clientFamilies } from "../../../domain/peer/ClientFamily.ts"
import { execute, IdRow, query } from "./SqliteRows.ts"

/** Blocks of one slot that are told apart. */
export const blocksPerSlot = 16

/** Bytes of a root that are kept. */
export const rootBytes = 16

const decoded = <A>(name: string, decode: (bytes: Uint8Array) => A | undefined) =>
  Schema.Uint8ArrayFromSelf.pipe(
    Schema.filter((bytes) => decode(bytes) !== undefined, { message: () => `these bytes are no ${name}` })
  )

/** A row of `arrivals`; its `columns` can be decoded. */
const ArrivalRow = Schema.Struct({
  id: Schema.Number,
  root: Schema.Uint8ArrayFromSelf,
  blobs: Schema.Number,
  columns: decoded("columns", decodeArrivals)
})

export const selectArrivals = query(
  "SELECT id, root, blobs, columns FROM arrivals WHERE id BETWEEN ? AND ?",
  ArrivalRow
)

export const upsertArrivals = execute(
  `INSERT INTO arrivals (id, root, blobs, columns) VALUES (?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET columns = excluded.columns`
)

/** `delays` can be decoded. */
export const delaysColumn = decoded("histogram", decodeDelays)

export const selectSum = query(
  `SELECT arrived, late, duplicates, delays FROM arrival_sums WHERE day = ? AND "column" = ? AND client = ?`,
  Schema.Struct({ arrived: Schema.Number, late: Schema.Number, duplicates: Schema.Number, delays: delaysColumn })
)

export const writeSum = execute(
  `INSERT OR REPLACE INTO arrival_sums (day, "column", client, arrived, late, duplicates, delays)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
)

export const addColumn = execute(
  `INSERT INTO arrival_columns (day, "column", blocks, missed) VALUES (?, ?, ?, ?)
  ON CONFLICT (day, "column") DO UPDATE SET blocks = blocks + excluded.blocks, missed = missed + excluded.missed`
)

export const upsertArrivalPeer = query(
  `INSERT INTO arrival_peers (peer_id, client, day) VALUES (?, ?, ?)
  ON CONFLICT (peer_id) DO UPDATE SET
    client = iif(excluded.client = 'unknown', client, excluded.client), day = max(day, excluded.day)
  RETURNING id`,
  IdRow
)

export const selectArrivalPeers = query(
  "SELECT id, peer_id, client FROM arrival_peers WHERE id IN (SELECT value FROM json_each(?))",
  Schema.Struct({ id: Schema.Number, peer_id: Schema.String, client: Schema.Literal(...clientFamilies) })
)
