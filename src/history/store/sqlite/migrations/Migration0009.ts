/** When columns came over gossip. Nothing of it is a peer's custody; the tables of probes know nothing of it. */
export const arrivals: ReadonlyArray<string> = [
  /** Who sent columns first. `day` is the newest of such a slot. */
  `CREATE TABLE arrival_peers (
    id INTEGER PRIMARY KEY,
    peer_id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    day INTEGER NOT NULL
  ) STRICT`,
  /**
   * A row for each block: `id` is slot * 16 + the number of the block among those of its slot, `root` the first 16 bytes of
   * its root, which is enough to know it again, and `columns` as in ArrivalCodec.
   */
  `CREATE TABLE arrivals (
    id INTEGER PRIMARY KEY,
    root BLOB NOT NULL,
    blobs INTEGER NOT NULL,
    columns BLOB NOT NULL
  ) STRICT`,
  /** By the day of the slot and who was first, and `delays` as in DelayHistogram: what all rows of `arrivals` add up to. */
  `CREATE TABLE arrival_sums (
    day INTEGER NOT NULL,
    "column" INTEGER NOT NULL,
    client TEXT NOT NULL,
    arrived INTEGER NOT NULL,
    late INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    delays BLOB NOT NULL,
    PRIMARY KEY (day, "column", client)
  ) STRICT, WITHOUT ROWID`,
  /** Blocks whose column was expected, since we were on its topic, and those of them of which it did not come. */
  `CREATE TABLE arrival_columns (
    day INTEGER NOT NULL,
    "column" INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    PRIMARY KEY (day, "column")
  ) STRICT, WITHOUT ROWID`
]
