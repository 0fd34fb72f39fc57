import { Option } from "effect"
import type { SlotRange } from "../domain/network/Chain.ts"
import type { Job } from "../domain/probe/Job.ts"
import { slotsWithin, tileOf, tileSlots, tileStart } from "../domain/network/Tile.ts"
import type { Coverage } from "./Coverage.ts"
import { anchorIn, type Ground, largestShape } from "./JobShape.ts"
import { placeOf, type SlotBias } from "./SlotBias.ts"

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

/** Combinations that are left out of jobs. */
export interface Aside {
  readonly any: (tile: number) => boolean
  /** Slots of the tile, by number of the column. */
  readonly slots: (tile: number, column: number) => number
}

export interface JobInput {
  readonly peerId: string
  /** Inside what the peer owes, edges and margins taken off, and inside what may be asked for. */
  readonly range: SlotRange
  /** The slots of a tile whose block has columns. */
  readonly columnSlots: (tile: number) => number
  /** First slots of forks and of steps of the blob schedule, ascending: one request never straddles one. */
  readonly boundaries: ReadonlyArray<number>
  readonly coverage: Coverage
  /** What is suspected and will be asked for again by itself: no job takes it. */
  readonly aside: Aside
  readonly options: JobOptions
  /** How many jobs this peer was given before. */
  readonly turn: number
  /** Unix milliseconds. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Every so many jobs, the first among them, one goes to the oldest slots of which something is wanted. */
export const edgeEvery = 16

/**
 * Columns that one job takes together. A request that is very tall says little of many slots: above 32 columns the
 * request budget would leave fewer than 16 slots of it.
 */
export const groupColumns = ({ maxColumns, maxCombinations }: JobOptions): number =>
  Math.min(maxColumns, maxCombinations, 32)

/**
 * The next request: what was never tested, and what failed long enough ago; when there is nothing of it left, the
 * stalest. Its place is drawn by `slotBias`, but every sixteenth goes to the oldest slots, where a node that prunes
 * early gives itself away. Its columns are the next group of the claim in turn, so that a column that is kept nowhere
 * is met within one round; in slots and columns it grows as far as nothing tested lies in it.
 */
export const nextJob = (input: JobInput): Option.Option<Job> => {
  const { coverage, options, range } = input
  if (range.start > range.end || coverage.columns.length === 0) return Option.none()
  const untested = groundOf(input, (tile, index) => ~coverage.tested(tile, index) | retriable(input, tile, index))
  const askable = groundOf(input, (tile, index) => ~coverage.failed(tile, index) | retriable(input, tile, index))
  if (!options.preferUntested) {
    const any = (tile: number): boolean => isAny(coverage, askable, tile)
    return Option.flatMap(placeAt(input, any, any), (slot) => jobAt(input, askable, slot))
  }
  const isNew = (tile: number): boolean =>
    (slotsOf(input, tile) & ~coverage.done(tile)) !== 0 && (!input.aside.any(tile) || isAny(coverage, untested, tile))
  const isWanted = (tile: number): boolean => isNew(tile) || (isDue(input, tile) && isAny(coverage, untested, tile))
  const place = input.turn % edgeEvery === 0 ? oldest(input, isNew) : placeAt(input, isWanted, isNew)
  return place.pipe(
    Option.orElse(() => firstDue(input, untested)),
    Option.flatMap((slot) => jobAt(input, untested, slot)),
    Option.orElse(() => stalest(input, askable))
  )
}

const groundOf = (input: JobInput, wanted: (tile: number, index: number) => number): Ground => ({
  columnSlots: input.columnSlots,
  wanted: (tile, index) => {
    const owed = wanted(tile, index) & input.coverage.owed(tile, index)
    return input.aside.any(tile) ? owed & ~input.aside.slots(tile, input.coverage.columns[index] ?? -1) : owed
  },
  range: input.range,
  maxCombinations: input.options.maxCombinations
})

const slotsOf = ({ columnSlots, range }: JobInput, tile: number): number => columnSlots(tile) & slotsWithin(tile, range)

/** Whether the failures of a tile and group may be asked for again. */
const isOld = ({ coverage, now, options }: JobInput, key: number): boolean => {
  const failedAt = coverage.failures.get(key)
  return options.retryFailures && failedAt !== undefined && now - failedAt >= options.retryAfterMs
}

const retriable = (input: JobInput, tile: number, index: number): number => {
  const failed = input.coverage.failed(tile, index)
  return failed !== 0 && isOld(input, input.coverage.keyOf(tile, input.coverage.groupOf(index))) ? failed : 0
}

const isDue = (input: JobInput, tile: number): boolean => {
  const { coverage } = input
  if (coverage.failures.size === 0) return false
  for (let group = 0; group < coverage.groups; group++) if (isOld(input, coverage.keyOf(tile, group))) return true
  return false
}

const isAny = (coverage: Coverage, ground: Ground, tile: number): boolean => {
  const slots = ground.columnSlots(tile) & slotsWithin(tile, ground.range)
  return slots !== 0 && coverage.columns.some((_, index) => (ground.wanted(tile, index) & slots) !== 0)
}

/** Draws that are made before the next tile in line is taken: what is drawn then is distributed as stated. */
const maxDraws = 8

/** A slot drawn by the bias in a tile that is accepted; failing that, the next tile that is `sought`, going round. */
const placeAt = (
  input: JobInput,
  isAccepted: (tile: number) => boolean,
  isSought: (tile: number) => boolean
): Option.Option<number> => {
  const { options, random, range } = input
  let slot = range.start
  for (let draw = 0; draw < maxDraws; draw++) {
    const drawn = Math.floor(placeOf(options.slotBias, random()) * (range.end - range.start + 1))
    slot = Math.min(range.end, range.start + drawn)
    if (isAccepted(tileOf(slot))) return Option.some(slot)
  }
  const [first, last] = [tileOf(range.start), tileOf(range.end)]
  const tiles = last - first + 1
  for (let step = 1; step <= tiles; step++) {
    const tile = first + ((tileOf(slot) - first + step) % tiles)
    if (isSought(tile)) return Option.some(Math.max(range.start, tileStart(tile)))
  }
  return Option.none()
}

const oldest = ({ range }: JobInput, isNew: (tile: number) => boolean): Option.Option<number> => {
  for (let tile = tileOf(range.start); tile <= tileOf(range.end); tile++) {
    if (isNew(tile)) return Option.some(Math.max(range.start, tileStart(tile)))
  }
  return Option.none()
}

/** Failures are looked through in the order in which they failed, but only so far: the others have their turn later. */
const maxFailuresSeen = 256

const firstDue = (input: JobInput, ground: Ground): Option.Option<number> => {
  let seen = 0
  for (const key of input.coverage.failures.keys()) {
    if (++seen > maxFailuresSeen || !isOld(input, key)) break
    const tile = input.coverage.tileOfKey(key)
    if (isAny(input.coverage, ground, tile)) return Option.some(Math.max(input.range.start, tileStart(tile)))
  }
  return Option.none()
}

const stalest = (input: JobInput, ground: Ground): Option.Option<Job> => {
  const { coverage, random, range } = input
  const anchorOf = (tile: number, group: number) => anchorIn(ground, tile, range.start, coverage.group(group))
  const found = coverage.stale.take(range, random(), (tile, group) => anchorOf(tile, group) !== undefined)
  const slot = found === undefined ? undefined : anchorOf(found.tile, found.group)?.start
  if (found === undefined || slot === undefined) return Option.none()
  return jobAt({ ...input, turn: found.group }, ground, slot, tileStart(found.tile + 1) - 1)
}

/** The job at, or next after, a slot: inside the range, and ending at `lastSlot` at the latest. */
const jobAt = (input: JobInput, ground: Ground, slot: number, lastSlot = Infinity): Option.Option<Job> => {
  const { boundaries, coverage, options, peerId, turn } = input
  const tile = tileOf(slot)
  const origin = tileStart(tile)
  // Narrow jobs lie side by side in a tile, so that no leftovers come between them.
  const from = origin + Math.floor((slot - origin) / options.maxSlots) * Math.min(options.maxSlots, tileSlots)
  for (const start of from > origin ? [from, origin] : [origin]) {
    for (let step = 0; step < coverage.groups; step++) {
      const anchor = anchorIn(ground, tile, start, coverage.group((turn + step) % coverage.groups))
      if (anchor === undefined) continue
      const end = Math.min(
        lastSlot,
        ground.range.end,
        anchor.start + options.maxSlots - 1,
        (boundaries.find((boundary) => boundary > anchor.start) ?? Infinity) - 1
      )
      const indices = inTurn(anchor.indices, options.maxCombinations, Math.floor(turn / coverage.groups))
      const shape = largestShape({ ...ground, range: { ...ground.range, end } }, anchor.start, indices)
      return Option.some({
        peerId,
        startSlot: shape.start,
        count: shape.end - shape.start + 1,
        columns: shape.indices.flatMap((index) => coverage.columns[index] ?? [])
      })
    }
  }
  return Option.none()
}

/** Where not even one slot of all of these may be asked for, as many as may be, others each time: none stays out of sight. */
const inTurn = (indices: ReadonlyArray<number>, most: number, turn: number): ReadonlyArray<number> => {
  if (indices.length <= most) return indices
  const first = (turn * most) % indices.length
  return [...indices.slice(first), ...indices.slice(0, first)].slice(0, most)
}
