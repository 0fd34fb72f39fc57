import { Effect } from "effect"
import { makeYielder } from "../../../src/runtime/YieldNow.ts"
import { tileOf } from "../../../src/domain/network/Tile.ts"
import { makeRandom, quantile, rounded } from "../Bench.ts"
import { medianDraws } from "../Detection.ts"
import { combinationsOf, makeSimulatedPeer } from "../SimulatedPeer.ts"
import type { Liar } from "./Liars.ts"

type Withholds = NonNullable<Liar["withholds"]>

/** How many requests the sampler needs until one meets what is withheld, over many peers that withhold as much. */
export interface Drawn {
  readonly withholds: Withholds
  /** Slots that are kept; two of five have columns. */
  readonly slots: number
  /** What can be withheld as one, and how many of these are. */
  readonly units: number
  readonly withheld: number
  /** The median. */
  readonly requests: number
  /** The least with which half of all such peers can be met, drawing units without replacement. */
  readonly least: number
  readonly ratio: number
}

/** Of `peers` peers that owe four columns of so many slots. */
export const drawnOf = (withholds: Withholds, slots: number, peers: number): Effect.Effect<Drawn> =>
  Effect.gen(function* () {
    const yieldIfDue = makeYielder(20)
    const found: Array<number> = []
    for (let seed = 1; seed <= peers; seed++) {
      yield* yieldIfDue
      found.push(untilMet(withholds, slots, seed))
    }
    const { broken, units } = population(withholds, slots)
    const requests = quantile(found, 0.5)
    const least = Math.ceil(medianDraws(units, broken) / perRequest(withholds.unit))
    return { withholds, slots, units, withheld: broken, requests, least, ratio: rounded(requests / least) }
  })

/** Combinations without columns are none that anyone could draw. */
const population = ({ fraction, unit }: Withholds, slots: number) => {
  const withColumns = Math.round(density * slots)
  const units = { combinations: withColumns * columnCount, slots: withColumns, columns: columnCount }[unit]
  return { withColumns, units, broken: Math.max(1, Math.round(fraction * units)) }
}

/** A request takes 32 slots, the first of which has columns, and of the others so many have. */
const perRequest = (unit: Withholds["unit"]): number => {
  const slots = 1 + 31 * density
  return { combinations: slots * columnCount, slots, columns: columnCount }[unit]
}

const untilMet = (withholds: Withholds, slots: number, seed: number): number => {
  const random = makeRandom(seed * 7919 + slots)
  const { broken, units, withColumns } = population(withholds, slots)
  const filled = [...chosen(withColumns, slots, random)]
  const words = new Int32Array(Math.ceil(slots / 32))
  for (const slot of filled) words[tileOf(slot)] = (words[tileOf(slot)] ?? 0) | (1 << (slot & 31))
  const hasColumns = (slot: number): boolean => ((words[tileOf(slot)] ?? 0) & (1 << (slot & 31))) !== 0
  const peer = makeSimulatedPeer(columnCount, random, slots, (tile) => words[tile] ?? 0)
  const withheld = new Set([...chosen(broken, units, random)].map((unit) => keyOf(withholds.unit, unit, filled)))
  const isWithheld = (slot: number, column: number): boolean => {
    const index = peer.coverage.columns.indexOf(column)
    return withheld.has({ combinations: slot * columnCount + index, slots: slot, columns: index }[withholds.unit])
  }
  for (let requests = 1; ; requests++) {
    const job = peer.next()
    if (job === undefined) throw new Error("nothing is left to ask")
    const asked = [...combinationsOf(job)].filter(({ slot }) => hasColumns(slot))
    if (asked.some(({ column, slot }) => isWithheld(slot, column))) return requests
    peer.coverage.add(asked, 1000)
  }
}

/** The number by which `isWithheld` knows a unit, of which the slots are numbered in the order of `filled`. */
const keyOf = (unit: Withholds["unit"], nth: number, filled: ReadonlyArray<number>): number => {
  switch (unit) {
    case "combinations":
      return (filled[Math.floor(nth / columnCount)] ?? 0) * columnCount + (nth % columnCount)
    case "slots":
      return filled[nth] ?? 0
    case "columns":
      return nth
  }
}

/** So many different whole numbers below `all`. */
const chosen = (count: number, all: number, random: () => number): ReadonlySet<number> => {
  const numbers = new Set<number>()
  while (numbers.size < count) numbers.add(Math.floor(random() * all))
  return numbers
}

/** As in the simulated fleets. */
const columnCount = 4
const density = 0.4
