/**
 * What keeps `agent_sums` and `peer_agents` in step with the columns `added` of `sums`. Part of migrations that have
 * run: the text that it gives for a list of columns stays as it is.
 */
export const sumTriggers = (added: ReadonlyArray<string>): ReadonlyArray<string> => [
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

const key = "day = old.day AND agent = old.agent AND custody_group_count = old.custody_group_count"
