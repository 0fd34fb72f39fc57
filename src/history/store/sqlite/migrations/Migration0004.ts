import { anyReleasedFailure } from "./Migration0003.ts"
import { releasedKinds } from "./ReleasedKinds.ts"
import { sumTriggers } from "./SumTriggers.ts"

const kinds = [...releasedKinds, "suspected"]
const failed = kinds.filter((kind) => kind !== "success")
const added = ["probes", "bytes", ...kinds]

/** The probes of a peer that brought anything but successes; written alike where they are asked for. */
export const anyFailure = `${failed.join(" + ")} > 0`

/** Suspicions, what became of them, and the moment of the newest blame. */
export const suspicions: ReadonlyArray<string> = [
  ...["peers", "probes", "totals", "sums", "column_sums", "age_sums", "agent_sums"].map(
    (table) => `ALTER TABLE ${table} ADD COLUMN suspected INTEGER NOT NULL DEFAULT 0`
  ),
  "ALTER TABLE probes ADD COLUMN purpose TEXT NOT NULL DEFAULT 'sampling'",
  /** Combinations that had failed and were delivered: with one probe, and by one peer ever. */
  "ALTER TABLE probes ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE peers ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0",
  /** Of what is suspected only: what it would be if it were confirmed. */
  "ALTER TABLE failures ADD COLUMN suspicion TEXT",
  /** The finalized checkpoint of the peer's Status; NULL where it was not known. */
  "ALTER TABLE claims ADD COLUMN finalized_epoch REAL",
  "ALTER TABLE claims ADD COLUMN finalized_root TEXT",
  /** When the newest probe with a blamed outcome ended; NULL for none. */
  "ALTER TABLE peers ADD COLUMN blamed_at REAL",
  `UPDATE peers SET blamed_at = (
    SELECT max(finished_at) FROM probes INDEXED BY probes_failed
    WHERE probes.peer = peers.id AND ${anyReleasedFailure}
      AND probes.missing + probes.invalid + probes.unavailable + probes.malformed > 0
  )
  WHERE missing + invalid + unavailable + malformed > 0`,
  /** Of a peer: what is suspected and not settled, an array of SuspectedSlot, and its Evasion, both as JSON. */
  `CREATE TABLE standings (
    peer INTEGER PRIMARY KEY REFERENCES peers (id),
    suspicions TEXT NOT NULL,
    evasion TEXT NOT NULL
  ) STRICT`,
  "DROP INDEX probes_failed",
  `CREATE INDEX probes_failed ON probes (peer) WHERE ${anyFailure}`,
  "CREATE INDEX probes_suspected ON probes (id) WHERE suspected > 0",
  "DROP TRIGGER sums_inserted",
  "DROP TRIGGER sums_updated",
  "DROP TRIGGER sums_deleted",
  ...sumTriggers(added)
]
