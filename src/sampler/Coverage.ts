import type { SlotRange } from "../domain/network/Chain.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import type { CoverageCounts } from "../domain/probe/Coverage.ts"
import { countSlots, slotBit, slotsFrom, slotsWithin, tileOf } from "../domain/network/Tile.ts"
import { makeStaleQueue, type StaleQueue, type TestTimes } from "./StaleQueue.ts"
import { makeWordRows } from "./WordRows.ts"

/**
 * What was tested of one peer, in tiles of 32 slots and groups of neighbouring columns of its claim.
 *
 * A tile of which every owed column was tested at the same slots takes one word, whatever the number of columns: that
 * is what whole jobs leave behind. Only where columns differ does a group take a word a column.
 */
export interface Coverage extends TestTimes {
  /** The owed columns, ascending. */
  readonly columns: ReadonlyArray<number>
  /** The indices in `columns` of a group, the columns that one job takes together: from the first to before the second. */
  readonly group: (group: number) => readonly [number, number]
  readonly groupOf: (index: number) => number
  /** Slots of the tile of which nothing is left untested. */
  readonly done: (tile: number) => number
  /** Slots of the tile that the peer owes of a column (given by its index), the edges of time aside. */
  readonly owed: (tile: number, index: number) => number
  /** Slots of the tile at which a column was tested. */
  readonly tested: (tile: number, index: number) => number
  /** Those tested slots of a column whose newest outcome is blamed on the peer. */
  readonly failed: (tile: number, index: number) => number
  /** Tiles and groups by the age of their newest test. */
  readonly stale: StaleQueue
  /** Tile and group of the failures, those that failed first first, with the Unix milliseconds at which they did. */
  readonly failures: ReadonlyMap<number, number>
  readonly keyOf: (tile: number, group: number) => number
  readonly tileOfKey: (key: number) => number
  /** Whether the newest outcome of a combination is blamed on the peer. */
  readonly isFailed: (slot: number, column: number) => boolean
  /** Takes outcomes at columns of the claim into account; the newest of a combination decides. */
  readonly add: (outcomes: Iterable<Tested>, at: number) => void
  /** Whatever was tested at the slot counts no more. */
  readonly forget: (slot: number) => void
  /** Drops everything before the tile. */
  readonly advance: (tile: number) => void
  /** Counts the combinations of the range. */
  readonly count: (range: SlotRange, columnSlots: (tile: number) => number) => CoverageCounts
}

/** One outcome that settles its combination. */
export interface Tested {
  readonly slot: number
  readonly column: number
  readonly succeeded: boolean
}

export interface CoverageOptions {
  /** Columns in one job, at most. */
  readonly groupColumns: number
  /** Tiles that are remembered, from the one given to `advance` on. */
  readonly tiles: number
}

export const makeCoverage = (claims: ClaimHistory, options: CoverageOptions): Coverage => {
  const size = options.tiles
  const { columns } = claims.current
  const groups = Math.max(1, Math.ceil(columns.length / options.groupColumns))
  const width = Math.max(1, Math.ceil(columns.length / groups))
  const owedFrom = columns.map((column) => claims.joined.get(column) ?? 0)
  const indexOf = new Map(columns.map((column, index) => [column, index]))
  /** A column without a row of its own was tested at just these slots, of those at which it is owed. */
  const doneSlots = new Int32Array(size)
  const times = new Uint32Array(size * groups)
  const tested = makeWordRows(width)
  const failed = makeWordRows(width)
  const failures = new Map<number, number>()
  let first = 0

  const keyOf = (tile: number, group: number): number => tile * groups + group
  const isKept = (tile: number): boolean => tile >= first && tile < first + size
  const doneOf = (tile: number): number => (isKept(tile) ? (doneSlots[tile % size] ?? 0) : 0)
  const owed = (tile: number, index: number): number => slotsFrom(tile, owedFrom[index] ?? 0)
  const word = (rows: typeof tested, tile: number, index: number): number | undefined => {
    const at = rows.find(keyOf(tile, Math.floor(index / width)))
    return at < 0 ? undefined : rows.words()[at + (index % width)]
  }
  const testedOf = (tile: number, index: number): number =>
    word(tested, tile, index) ?? doneOf(tile) & owed(tile, index)
  const bounds = (group: number): readonly [number, number] => [
    group * width,
    Math.min((group + 1) * width, columns.length)
  ]

  /** Gives a group of a tile a row that says what was said without one. */
  const open = (tile: number, group: number): number => {
    const key = keyOf(tile, group)
    const found = tested.find(key)
    if (found >= 0) return found
    const at = tested.make(key)
    const [from, to] = bounds(group)
    for (let index = from; index < to; index++) tested.words()[at + index - from] = doneOf(tile) & owed(tile, index)
    return at
  }

  /** Works out what is done of a tile, and drops the rows that it makes superfluous. */
  const close = (tile: number): void => {
    let done = -1
    for (let index = 0; index < columns.length; index++) done &= testedOf(tile, index) | ~owed(tile, index)
    doneSlots[tile % size] = done
    for (let group = 0; group < groups; group++) {
      const at = tested.find(keyOf(tile, group))
      if (at < 0) continue
      const [from, to] = bounds(group)
      let same = true
      for (let index = from; index < to && same; index++) {
        same = tested.words()[at + index - from] === (done & owed(tile, index))
      }
      if (same) tested.drop(keyOf(tile, group))
    }
  }

  const setFailed = (key: number, offset: number, bit: number, succeeded: boolean, at: number): void => {
    if (!succeeded) {
      const row = failed.make(key)
      const words = failed.words()
      words[row + offset] = (words[row + offset] ?? 0) | bit
      failures.delete(key)
      failures.set(key, at)
      return
    }
    const row = failed.find(key)
    if (row < 0) return
    const words = failed.words()
    words[row + offset] = (words[row + offset] ?? 0) & ~bit
    dropEmpty(key, row)
  }
  const dropEmpty = (key: number, row: number): void => {
    if (
      failed
        .words()
        .subarray(row, row + width)
        .some((slots) => slots !== 0)
    )
      return
    failed.drop(key)
    failures.delete(key)
  }

  const drop = (tile: number): void => {
    doneSlots[tile % size] = 0
    for (let group = 0; group < groups; group++) {
      times[(tile % size) * groups + group] = 0
      tested.drop(keyOf(tile, group))
      failed.drop(keyOf(tile, group))
      failures.delete(keyOf(tile, group))
    }
  }

  const testedAt = (tile: number, group: number): number =>
    isKept(tile) ? (times[(tile % size) * groups + group] ?? 0) : 0

  return {
    columns,
    groups,
    group: bounds,
    groupOf: (index) => Math.floor(index / width),
    done: doneOf,
    owed,
    tested: testedOf,
    failed: (tile, index) => (failures.size === 0 ? 0 : (word(failed, tile, index) ?? 0)),
    isFailed: (slot, column) => {
      const index = indexOf.get(column)
      if (index === undefined || failures.size === 0 || !isKept(tileOf(slot))) return false
      return ((word(failed, tileOf(slot), index) ?? 0) & slotBit(slot)) !== 0
    },
    testedAt,
    stale: makeStaleQueue({ groups, testedAt }),
    failures,
    keyOf,
    tileOfKey: (key) => Math.floor(key / groups),
    add: (outcomes, at) => {
      const touched = new Set<number>()
      for (const { column, slot, succeeded } of outcomes) {
        const tile = tileOf(slot)
        const index = indexOf.get(column)
        if (index === undefined || !isKept(tile)) continue
        const group = Math.floor(index / width)
        const place = (tile % size) * groups + group
        const row = open(tile, group)
        const words = tested.words()
        words[row + (index % width)] = (words[row + (index % width)] ?? 0) | slotBit(slot)
        times[place] = Math.max(times[place] ?? 0, Math.floor(at / 1000))
        setFailed(keyOf(tile, group), index % width, slotBit(slot), succeeded, at)
        touched.add(tile)
      }
      for (const tile of touched) close(tile)
    },
    forget: (slot) => {
      const tile = tileOf(slot)
      if (!isKept(tile)) return
      for (let group = 0; group < groups; group++) {
        const key = keyOf(tile, group)
        const row = open(tile, group)
        for (let offset = 0; offset < width; offset++) {
          tested.words()[row + offset] = (tested.words()[row + offset] ?? 0) & ~slotBit(slot)
          if (failed.find(key) >= 0) setFailed(key, offset, slotBit(slot), true, 0)
        }
      }
      close(tile)
    },
    advance: (tile) => {
      if (tile <= first) return
      if (tile - first >= size) {
        for (const key of tested.keys()) tested.drop(key)
        for (const key of failed.keys()) failed.drop(key)
        failures.clear()
        doneSlots.fill(0)
        times.fill(0)
      } else for (let passed = first; passed < tile; passed++) drop(passed)
      first = tile
    },
    count: (range, columnSlots) => {
      const counts = { owed: 0, tested: 0, failed: 0 }
      const edges = [...new Set(owedFrom)].map(
        (from) => [from, owedFrom.filter((other) => other === from).length] as const
      )
      for (let tile = tileOf(range.start); tile <= tileOf(range.end); tile++) {
        const slots = columnSlots(tile) & slotsWithin(tile, range)
        if (slots === 0) continue
        for (const [from, times] of edges) {
          counts.owed += countSlots(slots & slotsFrom(tile, from)) * times
          counts.tested += countSlots(slots & doneOf(tile) & slotsFrom(tile, from)) * times
        }
      }
      const more = (rows: typeof tested, besides: (tile: number) => number): number => {
        let sum = 0
        for (const key of rows.keys()) {
          const tile = Math.floor(key / groups)
          const slots = columnSlots(tile) & slotsWithin(tile, range) & ~besides(tile)
          if (slots === 0) continue
          const row = rows.find(key)
          const [from, to] = bounds(key % groups)
          for (let index = from; index < to; index++) {
            sum += countSlots((rows.words()[row + index - from] ?? 0) & slots & owed(tile, index))
          }
        }
        return sum
      }
      counts.tested += more(tested, doneOf)
      counts.failed = more(failed, () => 0)
      return counts
    }
  }
}
