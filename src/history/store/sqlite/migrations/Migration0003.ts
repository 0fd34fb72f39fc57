import { releasedKinds } from "./ReleasedKinds.ts"
import { sumTriggers } from "./SumTriggers.ts"

const failed = releasedKinds.filter((kind) => kind !== "success")
const added = ["probes", "bytes", ...releasedKinds]

/** The probes of a peer that brought anything but successes. */
export const anyReleasedFailure = `${failed.join(" + ")} > 0`

/**
 * What makes questions fast: indexes of `probes` (0.1 bytes a combination in all), and two sums that
 * triggers keep in step with `sums`, whichever way that is written.
 */
export const reports: ReadonlyArray<string> = [
  "CREATE INDEX probes_by_slot ON probes (start_slot, count)",
  // Holds what peers are ranked by, in the order in which it is added up.
  "CREATE INDEX sums_by_peer ON sums (peer, day, success, missing, invalid, unavailable, malformed)",
  `CREATE INDEX probes_failed ON probes (peer) WHERE ${anyReleasedFailure}`,
  ...failed.map((kind) => `CREATE INDEX probes_${kind} ON probes (id) WHERE ${kind} > 0`),
  /** `sums` without the peer. */
  `CREATE TABLE agent_sums (
    day INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    custody_group_count INTEGER NOT NULL,
    ${added.map((column) => `${column} INTEGER NOT NULL`).join(", ")},
    PRIMARY KEY (day, agent, custody_group_count)
  ) STRICT, WITHOUT ROWID`,
  /** The last day in `sums` of a peer with this agent and custody group count. */
  `CREATE TABLE peer_agents (
    peer INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    custody_group_count INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    PRIMARY KEY (peer, agent, custody_group_count)
  ) STRICT, WITHOUT ROWID`,
  `INSERT INTO agent_sums
    SELECT day, agent, custody_group_count, ${added.map((column) => `sum(${column})`).join(", ")}
    FROM sums GROUP BY day, agent, custody_group_count`,
  `INSERT INTO peer_agents
    SELECT peer, agent, custody_group_count, max(day) FROM sums GROUP BY peer, agent, custody_group_count`,
  ...sumTriggers(added)
]
