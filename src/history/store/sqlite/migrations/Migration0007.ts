/** The address book: the nodes that we know of. Moments are Unix milliseconds, NULL for never. */
export const addresses: ReadonlyArray<string> = [
  `CREATE TABLE nodes (
    peer_id TEXT PRIMARY KEY,
    node_id BLOB,
    /** A JSON array of multiaddrs. */
    multiaddrs TEXT NOT NULL,
    enr TEXT,
    /** Up to 2^64-1, which no INTEGER holds. */
    seq TEXT,
    enr_custody_group_count INTEGER,
    agent TEXT,
    custody_group_count INTEGER,
    earliest_available_slot REAL,
    source TEXT NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    reached_at REAL,
    audited_at REAL,
    tried_at REAL,
    failures INTEGER NOT NULL,
    not_before REAL NOT NULL
  ) STRICT, WITHOUT ROWID`
]
