import { Effect } from "effect"
import { makeYielder } from "../../src/runtime/YieldNow.ts"
import { type Bench, makeRandom, quantile, rounded, type Table } from "./Bench.ts"
import { combinationsOf, jobOptions, makeSimulatedPeer, windowSlots } from "./SimulatedPeer.ts"

/** How soon a peer that withholds a part of what it owes is found out. */
export const detection: Bench = {
  name: "detection",
  description: "requests and combinations until the first missing one, against the best that is possible",
  run: ({ quick }) =>
    Effect.gen(function* () {
      const yieldIfDue = makeYielder(20)
      const seeds = quick ? 801 : 4_001
      const rows: Array<Table["rows"][number]> = []
      for (const columns of [8, 128]) {
        for (const pattern of patterns) {
          for (const fraction of [0.5, 0.1, 0.01, 0.001]) {
            const found = []
            for (let seed = 1; seed <= seeds; seed++) {
              yield* yieldIfDue
              found.push(untilFound(columns, pattern, fraction, seed))
            }
            rows.push(rowOf(columns, pattern, fraction, found))
          }
        }
      }
      return [
        {
          title: `Detection: median of ${seeds} peers that owe 131,072 slots, default settings`,
          columns: [
            "columns",
            "withheld",
            "fraction",
            "requests",
            "bound",
            "ratio",
            "combinations",
            "bound",
            "ratio",
            "goal",
            "met"
          ],
          rows
        }
      ]
    })
}

type Pattern = "combinations at random" | "whole columns" | "the oldest slots" | "slots at random"
const patterns: ReadonlyArray<Pattern> = [
  "combinations at random",
  "whole columns",
  "the oldest slots",
  "slots at random"
]

interface Found {
  readonly requests: number
  readonly combinations: number
}

/** Whole columns are withheld one by one: a fraction of less than one is one. */
const withheldColumns = (columns: number, fraction: number): number => Math.max(1, Math.round(fraction * columns))

const untilFound = (columnCount: number, pattern: Pattern, fraction: number, seed: number): Found => {
  const random = makeRandom(seed * 7919 + columnCount)
  const peer = makeSimulatedPeer(columnCount, random)
  const salt = Math.floor(random() * 2 ** 32)
  const shuffled = [...peer.coverage.columns].sort((a, b) => chance(salt, a) - chance(salt, b))
  const columns = new Set(shuffled.slice(0, withheldColumns(columnCount, fraction)))
  const isWithheld = (slot: number, column: number): boolean => {
    switch (pattern) {
      case "combinations at random":
        return chance(salt, slot * 128 + column) < fraction
      case "whole columns":
        return columns.has(column)
      case "the oldest slots":
        return slot < fraction * windowSlots
      case "slots at random":
        return chance(salt, slot) < fraction
    }
  }
  let combinations = 0
  for (let requests = 1; ; requests++) {
    const job = peer.next()
    if (job === undefined) throw new Error("nothing is left to ask")
    for (const { column, slot } of combinationsOf(job)) {
      combinations++
      if (isWithheld(slot, column)) return { requests, combinations }
    }
    peer.coverage.add(combinationsOf(job), 1000)
  }
}

/** Combinations in what is withheld or kept as one, within one request. */
const unitOf = (columns: number, pattern: Pattern): number =>
  pattern === "slots at random" || pattern === "the oldest slots" ? Math.min(columns, jobOptions.maxColumns) : 1

/** A number in [0, 1) that depends on nothing else than its arguments. */
const chance = (salt: number, value: number): number => makeRandom((salt + Math.imul(value + 1, 0x9e3779b1)) >>> 0)()

const rowOf = (
  columns: number,
  pattern: Pattern,
  fraction: number,
  found: ReadonlyArray<Found>
): Table["rows"][number] => {
  const bound = boundOf(columns, pattern, fraction)
  const requests = quantile(
    found.map((one) => one.requests),
    0.5
  )
  const combinations = quantile(
    found.map((one) => one.combinations),
    0.5
  )
  const goal = pattern === "combinations at random" ? 1.1 : 1.5
  const actual = pattern === "whole columns" ? withheldColumns(columns, fraction) / columns : fraction
  return [
    columns,
    pattern,
    `${rounded(actual * 100, 2)} %`,
    requests,
    bound.requests,
    rounded(requests / bound.requests),
    combinations,
    bound.combinations,
    rounded(combinations / bound.combinations),
    goal,
    // Medians are whole units: one more than the bound is no more than chance.
    requests <= goal * bound.requests && combinations <= goal * bound.combinations + unitOf(columns, pattern)
  ]
}

/**
 * The least with which half of all such peers can be found out, when units (combinations, columns or slots) are drawn
 * one by one without replacement and come in requests of the size that the sampler uses.
 */
const boundOf = (columns: number, pattern: Pattern, fraction: number): Found => {
  const tall = Math.min(columns, jobOptions.maxColumns)
  const wide = Math.min(jobOptions.maxSlots, Math.floor(jobOptions.maxCombinations / tall))
  switch (pattern) {
    case "combinations at random": {
      const drawn = medianDraws(columns * windowSlots, Math.round(fraction * columns * windowSlots))
      return { requests: Math.ceil(drawn / (tall * wide)), combinations: drawn }
    }
    case "whole columns": {
      const drawn = medianDraws(columns, withheldColumns(columns, fraction))
      const requests = Math.ceil(drawn / tall)
      return { requests, combinations: (requests - 1) * tall * wide + drawn - (requests - 1) * tall }
    }
    case "the oldest slots":
    case "slots at random": {
      const drawn = medianDraws(windowSlots, Math.round(fraction * windowSlots))
      return { requests: Math.ceil(drawn / wide), combinations: (drawn - 1) * tall + 1 }
    }
  }
}

/** Draws without replacement after which a broken one was met with a probability of one half. */
export const medianDraws = (total: number, broken: number): number => {
  let missed = 1
  let draws = 0
  while (missed > 0.5) {
    missed *= (total - broken - draws) / (total - draws)
    draws++
  }
  return draws
}
