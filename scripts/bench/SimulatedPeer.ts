import { Option } from "effect"
import { numberOfColumns } from "../../src/domain/network/Chain.ts"
import type { ClaimHistory } from "../../src/domain/peer/ClaimHistory.ts"
import type { Job } from "../../src/domain/probe/Job.ts"
import { tileSlots } from "../../src/domain/network/Tile.ts"
import { type Coverage, makeCoverage } from "../../src/sampler/Coverage.ts"
import { groupColumns, type JobOptions, nextJob } from "../../src/sampler/NextJob.ts"
import { nothingAside } from "../../src/sampler/SetAside.ts"

/** The slots of 18 days: every one has columns. */
export const windowSlots = 131_072

/** The defaults of the program. */
export const jobOptions: JobOptions = {
  maxColumns: 16,
  maxSlots: 32,
  maxCombinations: 512,
  slotBias: "uniform",
  preferUntested: true,
  retryFailures: true,
  retryAfterMs: 24 * 3600 * 1000
}

/** A peer that is asked by the sampler and answers at once. */
export interface SimulatedPeer {
  readonly coverage: Coverage
  /** The next request; `undefined` when there is none. */
  readonly next: () => Job | undefined
}

/** Owes so many columns of all slots of which `columnSlots` says that they have columns. */
export const makeSimulatedPeer = (
  columnCount: number,
  random: () => number,
  slots = windowSlots,
  columnSlots: (tile: number) => number = everySlot
): SimulatedPeer => {
  const coverage = makeCoverage(claimsOf(randomColumns(columnCount, random)), {
    groupColumns: groupColumns(jobOptions),
    tiles: Math.ceil(slots / tileSlots) + 2
  })
  let turn = 0
  return {
    coverage,
    next: () =>
      Option.getOrUndefined(
        nextJob({
          peerId: "",
          range: { start: 0, end: slots - 1 },
          columnSlots,
          boundaries: [],
          coverage,
          aside: nothingAside,
          options: jobOptions,
          turn: turn++,
          now: 0,
          random
        })
      )
  }
}

export const everySlot = (): number => -1

/** Every combination of a job, in the order of an answer. */
export const combinationsOf = function* (job: Job) {
  for (let slot = job.startSlot; slot < job.startSlot + job.count; slot++) {
    for (const column of job.columns) yield { slot, column, succeeded: true }
  }
}

const randomColumns = (count: number, random: () => number): ReadonlyArray<number> => {
  const columns = Array.from({ length: numberOfColumns }, (_, column) => column)
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(random() * (columns.length - index))
    ;[columns[index], columns[other]] = [columns[other] ?? 0, columns[index] ?? 0]
  }
  return columns.slice(0, count).sort((a, b) => a - b)
}

const claimsOf = (columns: ReadonlyArray<number>): ClaimHistory => ({
  current: {
    custodyGroupCount: columns.length,
    source: "metadata",
    columns,
    earliestAvailableSlot: 0,
    headSlot: 0,
    finalized: null,
    forkDigest: "0x00000000",
    sequenceNumber: 0,
    observedAt: 0
  },
  joined: new Map(),
  watchedFrom: 0
})
