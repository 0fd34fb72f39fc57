import type { SlotRange } from "../../src/domain/network/Chain.ts"
import type { ClaimHistory } from "../../src/domain/peer/ClaimHistory.ts"
import type { Job } from "../../src/domain/probe/Job.ts"
import { tileStart, tileSlots } from "../../src/domain/network/Tile.ts"
import { makeCoverage, type Tested } from "../../src/sampler/Coverage.ts"
import { setAside } from "../../src/sampler/SetAside.ts"
import { groupColumns, type JobInput, type JobOptions } from "../../src/sampler/NextJob.ts"

export const options: JobOptions = {
  maxColumns: 16,
  maxSlots: 32,
  maxCombinations: 512,
  slotBias: "uniform",
  preferUntested: true,
  retryFailures: true,
  retryAfterMs: 60_000
}

/** A repeatable source of numbers in [0, 1). */
export const lcg = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

export const claimsFor = (
  columns: ReadonlyArray<number>,
  joined: ReadonlyMap<number, number> = new Map()
): ClaimHistory => ({
  current: {
    custodyGroupCount: columns.length,
    source: "metadata",
    columns,
    earliestAvailableSlot: 0,
    headSlot: 1_000_000,
    finalized: null,
    forkDigest: "0x00000000",
    sequenceNumber: 1,
    observedAt: 0
  },
  joined,
  watchedFrom: 1_000_032
})

export const coverageOf = (claims: ClaimHistory, range: SlotRange, over: JobOptions = options) =>
  makeCoverage(claims, {
    groupColumns: groupColumns(over),
    tiles: Math.ceil((range.end + 1) / tileSlots) + 2
  })

/** The slots with columns, as words. */
export const wordsOf =
  (hasColumns: (slot: number) => boolean) =>
  (tile: number): number => {
    let word = 0
    for (let offset = 0; offset < tileSlots; offset++) if (hasColumns(tileStart(tile) + offset)) word |= 1 << offset
    return word
  }

export const input = (range: SlotRange, over: Partial<JobInput> = {}): JobInput => ({
  peerId: "peer",
  range,
  columnSlots: () => -1,
  boundaries: [],
  coverage: coverageOf(claimsFor([1, 5, 9, 17, 40, 77, 101, 126]), range, over.options ?? options),
  aside: setAside(new Map()),
  options,
  turn: 0,
  now: 1_000_000,
  random: lcg(1),
  ...over
})

/** Every combination of the job whose slot has columns, in the order of an answer. */
export const combinations = (
  job: Job,
  columnSlots: (tile: number) => number
): ReadonlyArray<{ readonly slot: number; readonly column: number }> =>
  Array.from({ length: job.count }, (_, index) => job.startSlot + index)
    .filter((slot) => (columnSlots(Math.floor(slot / tileSlots)) & (1 << (slot & 31))) !== 0)
    .flatMap((slot) => job.columns.map((column) => ({ slot, column })))

export const allOf = (job: Job, columnSlots: (tile: number) => number, succeeded: boolean): ReadonlyArray<Tested> =>
  combinations(job, columnSlots).map((one) => ({ ...one, succeeded }))
