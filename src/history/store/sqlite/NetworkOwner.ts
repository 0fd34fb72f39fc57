import type { SqlClient } from "@effect/sql"
import { Effect, Schema } from "effect"
import { toHex } from "../../../domain/Bytes.ts"
import type { ChainParameters } from "../../../domain/network/Chain.ts"
import { HistoryError } from "../History.ts"

/** What tells one network from another (slots and roots mean nothing outside their own), and turns slots into time. */
export type NetworkIdentity = Pick<
  ChainParameters,
  "network" | "genesisTime" | "genesisValidatorsRoot" | "slotDurationMs" | "slotsPerEpoch" | "retentionEpochs"
>

/** Writes down whose history this is, the first time; refuses to mix it with another network's after that. */
export const claimFor = (sql: SqlClient.SqlClient, path: string, identity: NetworkIdentity) =>
  Effect.gen(function* () {
    const { genesisTime, network } = identity
    const root = toHex(identity.genesisValidatorsRoot)
    yield* sql`INSERT OR IGNORE INTO network (id, name, genesis_time, genesis_validators_root)
      VALUES (1, ${network}, ${genesisTime}, ${root})`
    const [owner] = yield* sql`SELECT name, genesis_time, genesis_validators_root FROM network`.pipe(
      Effect.flatMap((rows) => Effect.orDie(Schema.decodeUnknown(OwnerRow)(rows)))
    )
    if (owner.genesis_time === genesisTime && owner.genesis_validators_root === root) {
      return yield* sql`UPDATE network SET slot_duration_ms = ${identity.slotDurationMs}`
    }
    const found = `${owner.name}, genesis ${new Date(owner.genesis_time * 1000).toISOString()}`
    return yield* new HistoryError({
      operation: `open ${path}`,
      reason: `it holds the history of another network (${found}): choose another database_path for ${network}`
    })
  })

const OwnerRow = Schema.Tuple(
  Schema.Struct({ name: Schema.String, genesis_time: Schema.Number, genesis_validators_root: Schema.String })
)
