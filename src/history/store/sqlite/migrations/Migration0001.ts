import { releasedCounts } from "./ReleasedKinds.ts"

/**
 * Moments are Unix milliseconds. They and the numbers that a stranger may choose up to 2^64 are REAL, which takes any
 * of them (and a whole one in no more space than INTEGER). Masks are 16 bytes, column n at bit n % 8 of byte n / 8.
 */
export const init: ReadonlyArray<string> = [
  /** With the sums of everything that was recorded of the peer. `failure` is the sentence to show. */
  `CREATE TABLE peers (
    id INTEGER PRIMARY KEY,
    peer_id TEXT NOT NULL UNIQUE,
    agent TEXT,
    address TEXT,
    first_seen REAL,
    last_seen REAL,
    probes INTEGER NOT NULL DEFAULT 0,
    last_probe_at REAL,
    failure TEXT,
    failure_blamed INTEGER NOT NULL DEFAULT 0,
    conversations_answered INTEGER NOT NULL DEFAULT 0,
    conversations_unanswered INTEGER NOT NULL DEFAULT 0,
    conversations_refused INTEGER NOT NULL DEFAULT 0,
    ${releasedCounts}
  ) STRICT`,
  /** Findings of a peer by kind. */
  `CREATE TABLE findings (
    peer INTEGER NOT NULL REFERENCES peers (id),
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (peer, kind)
  ) STRICT, WITHOUT ROWID`,
  /** What a peer claimed, one row a change, in the order in which it said so. */
  `CREATE TABLE claims (
    id INTEGER PRIMARY KEY,
    peer INTEGER NOT NULL REFERENCES peers (id),
    observed_at REAL NOT NULL,
    custody_group_count INTEGER NOT NULL,
    source TEXT NOT NULL,
    columns BLOB NOT NULL,
    earliest_available_slot REAL,
    head_slot REAL NOT NULL,
    fork_digest TEXT NOT NULL,
    sequence_number REAL
  ) STRICT`,
  `CREATE INDEX claims_by_peer ON claims (peer)`,
  /** Blocks that outcomes were held against: canonical when they were. */
  `CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    slot INTEGER NOT NULL,
    root TEXT NOT NULL,
    blobs INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX blocks_by_slot ON blocks (slot)`,
  /** `columns` is a mask, `outcomes` is as in OutcomeSections, `findings` is JSON. */
  `CREATE TABLE probes (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    peer INTEGER NOT NULL REFERENCES peers (id),
    conversation TEXT NOT NULL,
    start_slot INTEGER NOT NULL,
    count INTEGER NOT NULL,
    columns BLOB NOT NULL,
    started_at REAL NOT NULL,
    finished_at REAL NOT NULL,
    open_ms REAL,
    first_byte_ms REAL,
    total_ms REAL NOT NULL,
    requests INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    findings TEXT,
    outcomes BLOB NOT NULL,
    ${releasedCounts}
  ) STRICT`,
  /** As in FailureRows: without slot and column for all of that outcome in the probe that have no row of their own. */
  `CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    probe INTEGER NOT NULL REFERENCES probes (id) ON DELETE CASCADE,
    outcome TEXT NOT NULL,
    slot INTEGER,
    "column" INTEGER,
    block_root TEXT,
    "check" TEXT,
    reason TEXT
  ) STRICT`,
  `CREATE INDEX failures_by_probe ON failures (probe)`,
  /** `id` is peer * 2^24 + chunk number, so that a peer's chunks lie together; `chunk` is as in CoverageChunk. */
  `CREATE TABLE coverage (
    id INTEGER PRIMARY KEY,
    chunk BLOB NOT NULL
  ) STRICT`,
  /** At most one row: the network that all of this is about. */
  `CREATE TABLE network (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    genesis_time INTEGER NOT NULL,
    genesis_validators_root TEXT NOT NULL
  ) STRICT`,
  /** One row: the sums over all peers. */
  `CREATE TABLE totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    probes INTEGER NOT NULL DEFAULT 0,
    ${releasedCounts}
  ) STRICT`,
  `INSERT INTO totals (id) VALUES (1)`
]
