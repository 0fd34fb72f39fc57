import { claimColumns, ClaimRow, FailureRowColumns, query, StandingRow } from "./SqliteRows.ts"

/** What the monitor and a report ask alike. */

/** The claims of a peer, ascending in time. */
export const selectClaims = query(
  `SELECT ${claimColumns} FROM claims WHERE peer = (SELECT id FROM peers WHERE peer_id = ?) ORDER BY id`,
  ClaimRow
)

/** The failures of a probe. */
export const selectFailures = query(
  `SELECT outcome, suspicion, slot, "column", block_root AS blockRoot, "check", reason
  FROM failures WHERE probe = ? ORDER BY id`,
  FailureRowColumns
)

/** The standing of a peer, by its number. */
export const selectStanding = query("SELECT suspicions, evasion FROM standings WHERE peer = ?", StandingRow)
