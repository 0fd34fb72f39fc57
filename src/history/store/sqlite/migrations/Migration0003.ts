import { releasedKinds } from "./ReleasedKinds.ts"

const failed = releasedKinds.filter((kind) => kind !== "success")
const added = ["probes", "bytes", ...releasedKinds]
const key = "day = old.day AND agent = old.agent AND custody_group_count = old.custody_group_count"

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
  `CREATE TRIGGER sums_inserted AFTER INSERT ON sums BEGIN
    INSERT INTO agent_sums (day, agent, custody_group_count, ${added.join(", ")})
    VALUES (new.day, new.agent, new.custody_group_count, ${added.map((column) => `new.${column}`).join(", ")})
    ON CONFLICT (day, agent, custody_group_count) DO UPDATE SET
      ${added.map((column) => `${column} = ${column} + excluded.${column}`).join(", ")};
    INSERT INTO peer_agents (peer, agent, custody_group_count, last_day)
    VALUES (new.peer, new.agent, new.custody_group_count, new.day)
    ON CONFLICT (peer, agent, custody_group_count) DO UPDATE SET last_day = max(last_day, excluded.last_day);
  END`,
  `CREATE TRIGGER sums_updated AFTER UPDATE ON sums BEGIN
    UPDATE agent_sums SET ${added.map((column) => `${column} = ${column} + new.${column} - old.${column}`).join(", ")}
    WHERE ${key};
  END`,
  `CREATE TRIGGER sums_deleted AFTER DELETE ON sums BEGIN
    UPDATE agent_sums SET ${added.map((column) => `${column} = ${column} - old.${column}`).join(", ")} WHERE ${key};
    DELETE FROM agent_sums WHERE ${key} AND probes = 0;
    DELETE FROM peer_agents
    WHERE peer = old.peer AND agent = old.agent AND custody_group_count = old.custody_group_count
      AND last_day <= old.day;
  END`
]
