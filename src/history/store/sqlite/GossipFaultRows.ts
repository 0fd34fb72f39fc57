import type { Connection } from "@effect/sql/SqlConnection"
import { Effect, Schema } from "effect"
import type { GossipFault } from "../../../domain/gossip/GossipFault.ts"
import { type GossipFaults, mostShownFaults } from "../../../domain/gossip/GossipFaults.ts"
import { faultRules } from "../../../domain/gossip/GossipRule.ts"
import { execute, query } from "./SqliteRows.ts"

const FaultRow = Schema.Struct({
  peer_id: Schema.String,
  at: Schema.Number,
  rule: Schema.Literal(...faultRules),
  detail: Schema.String,
  topic: Schema.String,
  column: Schema.Int,
  slot: Schema.NullOr(Schema.NonNegativeInt),
  block_root: Schema.NullOr(Schema.String)
})

const insertFault = execute(
  `INSERT INTO gossip_faults (peer_id, at, rule, detail, topic, "column", slot, block_root)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
)

const selectFaults = query(
  `SELECT peer_id, at, rule, detail, topic, "column", slot, block_root FROM gossip_faults
  WHERE peer_id = ? ORDER BY at DESC, id DESC LIMIT ?`,
  FaultRow
)

const countFaults = query(
  "SELECT count(*) AS count FROM gossip_faults WHERE peer_id = ?",
  Schema.Struct({ count: Schema.Number })
)

export const writeFault = (
  connection: Connection,
  { at, blockRoot, column, detail, peerId, rule, slot, topic }: GossipFault
) => insertFault(connection, [peerId, Math.round(at), rule, detail, topic, column, slot, blockRoot])

export const readFaults = (connection: Connection, peerId: string) =>
  Effect.gen(function* () {
    const [row] = yield* countFaults(connection, [peerId])
    const rows = yield* selectFaults(connection, [peerId, mostShownFaults])
    return {
      faults: row?.count ?? 0,
      last: rows.map(({ block_root, peer_id, ...rest }) => ({ ...rest, peerId: peer_id, blockRoot: block_root }))
    } satisfies GossipFaults
  })
