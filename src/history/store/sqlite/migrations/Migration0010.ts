/** What sampling each block came to. Columns are masks of 128 bits, moments Unix milliseconds. */
export const availability: ReadonlyArray<string> = [
  `CREATE TABLE availability (
    id INTEGER PRIMARY KEY,
    slot INTEGER NOT NULL,
    root TEXT NOT NULL,
    blobs INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    samples INTEGER NOT NULL,
    allowed_failures INTEGER NOT NULL,
    passing_probability REAL,
    present BLOB NOT NULL,
    absent BLOB NOT NULL,
    unanswered BLOB NOT NULL,
    peers INTEGER NOT NULL,
    /** A JSON array of client families. */
    clients TEXT NOT NULL,
    started_at REAL NOT NULL,
    decided_at REAL NOT NULL,
    decided_after_ms REAL NOT NULL,
    held INTEGER NOT NULL,
    UNIQUE (slot, root)
  ) STRICT`
]
