import { type SlotClock, slotStart } from "../../../domain/network/Chain.ts"
import { dayMs, dayOf } from "../../../domain/Day.ts"
import type { Probe } from "../../../domain/probe/Job.ts"
import { noOutcomes, type OutcomeCounts } from "../../../domain/probe/Outcome.ts"

/** Counts that can be added to. */
type Counts = { -readonly [K in keyof OutcomeCounts]: number }

/** Of probes of one peer on one day, as what the peer was then. */
export interface PeerSum {
  readonly day: number
  readonly peer: number
  readonly agent: number
  /** 0 while the peer has claimed nothing. */
  readonly custodyGroupCount: number
  probes: number
  bytes: number
  readonly outcomes: Counts
}

/** Of one column, or of slots of one age in days, on one day. */
export interface Sum {
  readonly day: number
  readonly of: number
  readonly outcomes: Counts
}

/**
 * What a batch adds to the sums of its days, added up in memory so that each row is written once. Without a clock
 * nothing is known of the age of slots. Outcomes held against a block that is orphaned later stay in: they happened.
 */
export const makeSums = (clock: SlotClock | undefined) => {
  const peers = new Map<string, PeerSum>()
  const columns = new Map<number, Sum>()
  const ages = new Map<number, Sum>()

  const add = (peer: number, agent: number, custodyGroupCount: number, probe: Probe): void => {
    const day = dayOf(probe.finishedAt)
    const key = `${day} ${peer} ${agent} ${custodyGroupCount}`
    let sum = peers.get(key)
    if (sum === undefined) {
      sum = { day, peer, agent, custodyGroupCount, probes: 0, bytes: 0, outcomes: { ...noOutcomes } }
      peers.set(key, sum)
    }
    sum.probes++
    sum.bytes += probe.bytes
    for (const { column, outcome, slot } of probe.outcomes) {
      sum.outcomes[outcome]++
      sumAt(columns, day, column).outcomes[outcome]++
      if (clock !== undefined) sumAt(ages, day, ageOf(clock, slot, probe.finishedAt)).outcomes[outcome]++
    }
  }

  return { add, peers, columns, ages }
}
export type Sums = ReturnType<typeof makeSums>

const sumAt = (sums: Map<number, Sum>, day: number, of: number): Sum => {
  const key = day * keysPerDay + of
  let sum = sums.get(key)
  if (sum === undefined) sums.set(key, (sum = { day, of, outcomes: { ...noOutcomes } }))
  return sum
}

/** More than there are columns, and days since 1970. */
const keysPerDay = 2 ** 20

const ageOf = (clock: SlotClock, slot: number, at: number): number =>
  Math.max(0, Math.floor((at - slotStart(clock, slot)) / dayMs))
