/** Columns that peers pushed to us and that break a rule of gossip. The tables of probes know nothing of it. */
export const gossipFaults: ReadonlyArray<string> = [
  `CREATE TABLE gossip_faults (
    id INTEGER PRIMARY KEY,
    peer_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    detail TEXT NOT NULL,
    topic TEXT NOT NULL,
    "column" INTEGER NOT NULL,
    slot INTEGER,
    block_root TEXT
  ) STRICT`,
  "CREATE INDEX gossip_faults_by_peer ON gossip_faults (peer_id, at)",
  "CREATE INDEX gossip_faults_by_time ON gossip_faults (at)"
]
