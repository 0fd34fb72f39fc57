import type { Claim } from "../../../domain/peer/Claim.ts"
import { claimColumns, claimOf, ClaimRow, FailureRowColumns, query, StandingRow } from "./SqliteRows.ts"

/** What the monitor and a report ask alike. */

/** The newest claims of a peer that are kept, the newest first; all of them with a limit of -1. */
export const selectClaims = query(
  `SELECT ${claimColumns} FROM claims WHERE peer = (SELECT id FROM peers WHERE peer_id = ?) ORDER BY id DESC LIMIT ?`,
  ClaimRow
)

/** Rows that were asked for with `selectClaims` as claims ascending in time. */
export const claimsOf = (rows: ReadonlyArray<typeof ClaimRow.Type>): ReadonlyArray<Claim> => rows.map(claimOf).reverse()

/** The failures of a probe. */
export const selectFailures = query(
  `SELECT outcome, suspicion, slot, "column", block_root AS blockRoot, "check", reason
  FROM failures WHERE probe = ? ORDER BY id`,
  FailureRowColumns
)

/** The standing of a peer, by its number. */
export const selectStanding = query(
  "SELECT suspicions, evasion, restraint, score FROM standings WHERE peer = ?",
  StandingRow
)
