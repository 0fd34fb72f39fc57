import { releasedCounts, releasedKinds } from "./ReleasedKinds.ts"

/** Days are whole days since 1970: floor(Unix milliseconds / 86,400,000). */
export const sums: ReadonlyArray<string> = [
  /**
   * `id` is chunk number * 2^24 + peer: what was tested of a slot lies together, and the oldest slots come first.
   * `chunk` is as in CoverageChunk.
   */
  `CREATE TABLE coverage_by_slot (
    id INTEGER PRIMARY KEY,
    chunk BLOB NOT NULL
  ) STRICT`,
  `INSERT INTO coverage_by_slot (id, chunk)
    SELECT (id & 16777215) * 16777216 + (id >> 24), chunk FROM coverage ORDER BY 1`,
  `DROP TABLE coverage`,
  `ALTER TABLE coverage_by_slot RENAME TO coverage`,
  /** Blocks that were canonical and are not any more; coverage of the slot that is not newer than `at` is void. */
  `CREATE TABLE orphans (
    slot INTEGER NOT NULL,
    root TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (slot, root)
  ) STRICT, WITHOUT ROWID`,
  /** What peers call themselves; '' stands for a peer that has not said. `day` is the newest in `sums`. */
  `CREATE TABLE agents (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL UNIQUE,
    day INTEGER NOT NULL
  ) STRICT`,
  /** Probes by the day on which they ended, and by what the peer was then. Custody group count 0: not known yet. */
  `CREATE TABLE sums (
    day INTEGER NOT NULL,
    peer INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    custody_group_count INTEGER NOT NULL,
    probes INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    ${releasedCounts},
    PRIMARY KEY (day, peer, agent, custody_group_count)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE column_sums (
    day INTEGER NOT NULL,
    "column" INTEGER NOT NULL,
    ${releasedCounts},
    PRIMARY KEY (day, "column")
  ) STRICT, WITHOUT ROWID`,
  /** `age` is the whole days between the start of the slot and the end of the probe. */
  `CREATE TABLE age_sums (
    day INTEGER NOT NULL,
    age INTEGER NOT NULL,
    ${releasedCounts},
    PRIMARY KEY (day, age)
  ) STRICT, WITHOUT ROWID`,
  `INSERT INTO agents (agent, day)
    SELECT coalesce(peers.agent, ''), max(CAST(floor(finished_at / 86400000) AS INTEGER))
    FROM probes JOIN peers ON peers.id = probes.peer GROUP BY 1`,
  `INSERT INTO sums
    SELECT CAST(floor(finished_at / 86400000) AS INTEGER), probes.peer, agents.id,
      coalesce(
        (SELECT custody_group_count FROM claims WHERE claims.peer = probes.peer ORDER BY claims.id DESC LIMIT 1), 0),
      count(*), sum(bytes), ${releasedKinds.map((kind) => `sum(probes.${kind})`).join(", ")}
    FROM probes JOIN peers ON peers.id = probes.peer JOIN agents ON agents.agent = coalesce(peers.agent, '')
    GROUP BY 1, 2, 3, 4`,
  /** The newest CoverageCounts and their moment, and the moment of the newest record of any kind. */
  `ALTER TABLE peers ADD COLUMN owed INTEGER`,
  `ALTER TABLE peers ADD COLUMN tested INTEGER`,
  `ALTER TABLE peers ADD COLUMN failed INTEGER`,
  `ALTER TABLE peers ADD COLUMN coverage_at REAL`,
  `ALTER TABLE peers ADD COLUMN recorded_at REAL`,
  `UPDATE peers SET recorded_at = unixepoch() * 1000.0`,
  /** With it and `genesis_time` a slot is a moment; NULL until the network is named again. */
  `ALTER TABLE network ADD COLUMN slot_duration_ms REAL`,
  `CREATE INDEX probes_by_peer ON probes (peer)`,
  `CREATE INDEX probes_by_end ON probes (finished_at)`
]
