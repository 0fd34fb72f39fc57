import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { init } from "./Migration0001.ts"
import { sums } from "./Migration0002.ts"
import { reports } from "./Migration0003.ts"
import { suspicions } from "./Migration0004.ts"
import { bounds } from "./Migration0005.ts"
import { restraints } from "./Migration0006.ts"
import { addresses } from "./Migration0007.ts"
import { scores } from "./Migration0008.ts"
import { gossipFaults } from "./Migration0011.ts"
import { arrivals } from "./Migration0009.ts"
import { availability } from "./Migration0010.ts"
import { nodeScores } from "./Migration0012.ts"

/** PRAGMA application_id of a history: "dasm" in ASCII. */
export const applicationId = 0x6461736d

const run = (statements: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
  )

/** By number and name; a migration that was released is never changed, a new one follows it. */
export const migrations = {
  "0001_init": run(init),
  "0002_sums": run(sums),
  "0003_reports": run(reports),
  "0004_suspicions": run(suspicions),
  "0005_bounds": run(bounds),
  "0006_restraints": run(restraints),
  "0007_addresses": run(addresses),
  "0008_scores": run(scores),
  "0009_arrivals": run(arrivals),
  "0010_availability": run(availability),
  "0011_gossip_faults": run(gossipFaults),
  "0012_node_scores": run(nodeScores)
}

/** The schema that this program reads and writes. */
export const schemaVersion = Object.keys(migrations).length
