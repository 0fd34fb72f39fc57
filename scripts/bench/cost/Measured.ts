/** What each part of the work costs on one machine, and the command that told it; `Cost.ts` puts them together. */
export interface Measured {
  /** MiB with a hundred peers, and with a thousand: `bench peers`, `peakMiB`. */
  readonly hundredMiB: number
  readonly thousandMiB: number
  /** KiB for each peer that is known and not connected: `bench peers`, `knownMiB` by `known`. */
  readonly knownKiB: number
  /** Milliseconds of CPU each time that a peer's claim is asked: `cores` of the program over peers that are not probed. */
  readonly claimMs: number
  /** Milliseconds of CPU for each cell whose proof is verified, in the threads that do: `bench pipeline`, first look. */
  readonly cellMs: number
  /** Milliseconds of CPU for each column whose proofs are verified, in all other threads: `bench pipeline`, first look. */
  readonly columnMs: number
  /** Milliseconds of CPU for a column that was proven before, in all threads: `bench pipeline`, second look. */
  readonly knownColumnMs: number
  /** Bytes on disk for each column of a slot that was asked for: `bench history`, whole database. */
  readonly combinationBytes: number
  /** Bytes on disk for each slot of the chain: ground truth (48 a blob, and 40), and digests of what was proven. */
  readonly slotBytes: number
  /**
   * Milliseconds of CPU for each column that comes over gossip, in all threads, its further copies included and its proofs
   * not: `bench gossip`, `cpuShare` at 12 s, less what its 21 cells cost.
   */
  readonly gossipColumnMs: number
  /** Bytes on disk for the arrival of a column over gossip, of four of a block, whole database: at most 16 (`test/history/report/Arrivals.test.ts`). */
  readonly arrivalBytes: number
  /** Bytes on disk for what sampling a block came to: a row of `availability` and its index, over 18 days. */
  readonly availabilityBytes: number
}

export const measured: Measured = {
  // The ledger's memory (`kzg.ledger_memory`) comes to what was measured before there was one.
  hundredMiB: 360 + 32,
  thousandMiB: 930 + 32,
  knownKiB: 4,
  claimMs: 7,
  cellMs: 0.102,
  columnMs: 0.44,
  knownColumnMs: 0.25,
  combinationBytes: 9.2,
  slotBytes: 14 * 48 + 40 + 2_048 + 60,
  // 11.6 % of 12 s over 128 columns of 21 blobs.
  gossipColumnMs: 8.3,
  arrivalBytes: 15.5,
  availabilityBytes: 367
}
