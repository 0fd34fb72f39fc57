import { Option } from "effect"
import { untested } from "../domain/Coverage.ts"
import type { Job } from "../domain/Job.ts"
import { bitmapOf, type Coverage } from "./Coverage.ts"

/** Where in the allowed slots a job starts; see `biased`. */
export type SlotBias = "uniform" | "recent" | "historical" | "heavily_recent" | "heavily_historical"

export interface JobOptions {
  readonly maxColumns: number
  readonly maxSlots: number
  /** Combinations in one request, at most: what a careful node asks of a stranger at once. */
  readonly maxCombinations: number
  readonly slotBias: SlotBias
  readonly preferUntested: boolean
  readonly retryFailures: boolean
  readonly retryAfterMs: number
}

export interface JobInput {
  readonly peerId: string
  /** Ascending; all have columns and are inside the owed range. */
  readonly slots: ReadonlyArray<number>
  /** The slot from which sidecars have another form (Gloas): one request never straddles it. */
  readonly newFormSlot: number
  /** The columns that the peer owes of a slot. */
  readonly owed: (slot: number) => bigint
  readonly coverage: Coverage
  readonly options: JobOptions
  /** Unix milliseconds. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * The next request: untested combinations first, failed ones again after a while, and when nothing is left the
 * stalest. A job starts at a slot chosen by `slotBias`, goes on over contiguous slots, and takes the columns that are
 * wanted most often in them.
 */
export const nextJob = (input: JobInput): Option.Option<Job> => {
  const { options, slots } = input
  if (slots.length === 0) return Option.none()
  const first = Math.min(Math.floor(biased(options.slotBias, input.random) * slots.length), slots.length - 1)
  const wanted = options.preferUntested ? wantedOf(input) : input.owed
  const anchor = firstWanted(slots, first, wanted)
  if (Option.isSome(anchor)) return Option.some(jobAt(input, anchor.value, wanted))
  return Option.map(stalest(input), (index) => jobAt(input, index, input.owed))
}

/**
 * A place in [0, 1), 0 the oldest slot and 1 the newest. Density: `uniform` 1, `recent` 2x, `historical` 2(1-x),
 * `heavily_recent` 4x³, `heavily_historical` 4(1-x)³: the extreme of two, or of four, uniform draws.
 */
export const biased = (bias: SlotBias, random: () => number): number => {
  switch (bias) {
    case "uniform":
      return random()
    case "recent":
      return Math.max(random(), random())
    case "historical":
      return Math.min(random(), random())
    case "heavily_recent":
      return Math.max(random(), random(), random(), random())
    case "heavily_historical":
      return Math.min(random(), random(), random(), random())
  }
}

const wantedOf =
  ({ coverage, now, options, owed }: JobInput) =>
  (slot: number): bigint => {
    const known = coverage.get(slot)
    if (known === undefined) return owed(slot)
    const fresh = owed(slot) & ~known.succeeded & ~known.failed
    const again = options.retryFailures && now - known.testedAt >= options.retryAfterMs ? owed(slot) & known.failed : 0n
    return fresh | again
  }

/** The index of the first slot at or after `from`, going round, of which anything is wanted. */
const firstWanted = (
  slots: ReadonlyArray<number>,
  from: number,
  wanted: (slot: number) => bigint
): Option.Option<number> => {
  for (let step = 0; step < slots.length; step++) {
    const index = (from + step) % slots.length
    const slot = slots[index]
    if (slot !== undefined && wanted(slot) !== 0n) return Option.some(index)
  }
  return Option.none()
}

/** The index of the slot whose test is the longest ago, of those that owe anything and did not fail too lately. */
const stalest = ({ coverage, now, options, owed, slots }: JobInput): Option.Option<number> => {
  let best = Option.none<number>()
  let oldest = Infinity
  slots.forEach((slot, index) => {
    const { failed, succeeded, testedAt } = coverage.get(slot) ?? untested
    const onlyFailed = (owed(slot) & succeeded) === 0n && (owed(slot) & failed) !== 0n
    if (owed(slot) === 0n || testedAt >= oldest) return
    if (onlyFailed && (!options.retryFailures || now - testedAt < options.retryAfterMs)) return
    oldest = testedAt
    best = Option.some(index)
  })
  return best
}

const jobAt = (input: JobInput, anchor: number, wanted: (slot: number) => bigint): Job => {
  const { newFormSlot, options, peerId, slots } = input
  const start = slots[anchor] ?? 0
  const end = Math.min(start + options.maxSlots, start < newFormSlot ? newFormSlot : Infinity)
  const window = slots.slice(anchor, anchor + options.maxSlots).filter((slot) => slot < end)
  const counts = new Map<number, number>()
  for (const slot of window) {
    for (const column of columnsOf(wanted(slot))) counts.set(column, (counts.get(column) ?? 0) + 1)
  }
  const columns = [...counts]
    .map(([column, count]) => ({ column, rank: count + input.random() }))
    .sort((a, b) => b.rank - a.rank)
    .slice(0, options.maxColumns)
    .map(({ column }) => column)
    .sort((a, b) => a - b)
  const chosen = bitmapOf(columns)
  let last = start
  let combinations = 0
  for (const slot of window) {
    combinations += columns.length
    if (combinations > options.maxCombinations && slot !== start) break
    if ((wanted(slot) & chosen) !== 0n) last = slot
  }
  return { peerId, startSlot: start, count: last - start + 1, columns }
}

const columnsOf = (bitmap: bigint): ReadonlyArray<number> => {
  const columns: Array<number> = []
  for (let column = 0, rest = bitmap; rest !== 0n; column++, rest >>= 1n) {
    if ((rest & 1n) === 1n) columns.push(column)
  }
  return columns
}
