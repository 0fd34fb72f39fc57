import { numberOfColumns } from "../../../src/domain/network/Chain.ts"
import type { Job } from "../../../src/domain/probe/Job.ts"

/** Somebody who can be asked, and what it keeps. */
export interface Asked {
  readonly peerId: string
  readonly columns: ReadonlyArray<number>
}

/** Two jobs for the same combinations, of different peers. */
export interface TwoLooks {
  readonly first: Job
  readonly second: Job
}

/** What the sampler asks of a supernode at most: 128 combinations. */
const slotsPerWindow = 8
const columnsPerJob = 16

/**
 * All 128 columns of so many windows of slots, each combination once: those that a custodian keeps from it and then from a
 * supernode, or the other way round, all others from two supernodes. There are at least two of these, and one of those.
 */
export const windowsFrom = (
  start: number,
  windows: number,
  supernodes: ReadonlyArray<Asked>,
  custodians: ReadonlyArray<Asked>
): ReadonlyArray<TwoLooks> =>
  Array.from({ length: windows }, (_, window) => {
    const custodian = custodians[window % custodians.length]
    const kept = custodian?.columns ?? []
    const others = Array.from({ length: numberOfColumns }, (_, column) => column).filter(
      (column) => !kept.includes(column)
    )
    const slots = { startSlot: start + window * slotsPerWindow, count: slotsPerWindow }
    const supernode = (place: number): string => supernodes[place % supernodes.length]?.peerId ?? ""
    const both = (columns: ReadonlyArray<number>, first: string, second: string): TwoLooks => ({
      first: { ...slots, columns, peerId: first },
      second: { ...slots, columns, peerId: second }
    })
    const pair = [custodian?.peerId ?? "", supernode(window)] as const
    const [first, second] = window % 2 === 0 ? pair : [pair[1], pair[0]]
    return [
      both(kept, first, second),
      ...Array.from({ length: Math.ceil(others.length / columnsPerJob) }, (_, chunk) =>
        both(
          others.slice(chunk * columnsPerJob, (chunk + 1) * columnsPerJob),
          supernode(window + chunk),
          supernode(window + chunk + 1)
        )
      )
    ]
  }).flat()

export const slotsOf = (windows: number): number => windows * slotsPerWindow
