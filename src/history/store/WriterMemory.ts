import type { SqlClient } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Effect } from "effect"
import type { SlotClock } from "../../domain/network/Chain.ts"
import { makeOrphans, type Orphans } from "./Orphans.ts"
import type { PeerKinds } from "./PeerKinds.ts"
import type { BlockKey } from "./sqlite/OutcomeSections.ts"
import { only } from "./sqlite/SqliteRows.ts"
import {
  insertBlock,
  selectBlock,
  selectNetwork,
  selectNewestClaim,
  selectOrphans,
  upsertAgent
} from "./sqlite/WriteStatements.ts"

/** What the writer knows of the database without asking it. */
export interface WriterMemory {
  /** None while the database was never told its network. */
  readonly clock: SlotClock | undefined
  readonly orphans: Orphans
  /** By slot: the block that outcomes were last held against, and its number. */
  readonly blocks: Map<number, Omit<BlockKey, "slot"> & { readonly id: number }>
  /** By agent: its number, and the newest day that is written of it. */
  readonly agents: Map<string, { readonly id: number; readonly day: number }>
  /** By number of the peer: the custody group count of its newest claim; 0 if there is none. */
  readonly custody: Map<number, number>
  readonly kinds: PeerKinds
}

/** Reads what must be known from the start. */
export const remember = (sql: SqlClient.SqlClient) =>
  Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* sql.reserve
      const [network] = yield* selectNetwork(connection, [])
      const orphans = makeOrphans()
      for (const { at, root, slot } of yield* selectOrphans(connection, [])) orphans.add(slot, root, at)
      const memory: WriterMemory = {
        clock:
          network === undefined
            ? undefined
            : { genesisTime: network.genesis_time, slotDurationMs: network.slot_duration_ms },
        orphans,
        blocks: new Map(),
        agents: new Map(),
        custody: new Map(),
        kinds: new Map()
      }
      return memory
    })
  )

/** Has what can be looked up looked up again. */
export const forgetNumbers = ({ agents, blocks, custody, kinds }: WriterMemory): void => {
  for (const known of [agents, blocks, custody, kinds]) known.clear()
}

export const knownBlock = (block: BlockKey, known: WriterMemory["blocks"]): number | undefined => {
  const found = known.get(block.slot)
  return found !== undefined && found.root === block.root && found.blobs === block.blobs ? found.id : undefined
}

/** The number of a block that is not known yet; the database gets to know it if it does not. */
export const blockNumber = Effect.fnUntraced(function* (
  connection: Connection,
  block: BlockKey,
  known: WriterMemory["blocks"]
) {
  const parameters = [block.slot, block.root, block.blobs]
  const [row = yield* only(insertBlock(connection, parameters))] = yield* selectBlock(connection, parameters)
  keep(known, block.slot, { root: block.root, blobs: block.blobs, id: row.id })
  return row.id
})

/** The number of an agent in the database, which knows after this that it was there on `day`. */
export const agentNumber = Effect.fnUntraced(function* (
  connection: Connection,
  agent: string,
  day: number,
  known: WriterMemory["agents"]
) {
  const found = known.get(agent)
  if (found !== undefined && found.day >= day) return found.id
  const [row] = yield* upsertAgent(connection, [agent, day, agent, mostAgents])
  const { id } = row ?? (yield* only(upsertAgent(connection, [otherAgents, day, otherAgents, Infinity])))
  keep(known, agent, { id, day })
  return id
})

export const custodyOf = Effect.fnUntraced(function* (
  connection: Connection,
  peer: number,
  known: WriterMemory["custody"]
) {
  const found = known.get(peer)
  if (found !== undefined) return found
  const [newest] = yield* selectNewestClaim(connection, [peer])
  const count = newest?.custody_group_count ?? 0
  keep(known, peer, count)
  return count
})

/** Strangers choose what they call themselves: beyond so many on record, those that come new are one. */
const mostAgents = 4096
const otherAgents = "other"

const keep = <K, V>(known: Map<K, V>, key: K, value: V): void => {
  if (known.size >= mostKnown) known.clear()
  known.set(key, value)
}

/** The slots of 18 days and some. */
const mostKnown = 150_000
