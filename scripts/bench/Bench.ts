import type { Effect } from "effect"

/** Numbers under headings, for a person and for a machine alike. */
export interface Table {
  readonly title: string
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string | number | boolean>>
  /** What is printed once more, as JSON, in the last line of all. */
  readonly summary?: object
}

interface BenchOptions {
  /** Smaller sizes, for a look: some seconds, of those that talk to other processes some minutes. */
  readonly quick: boolean
  /** A folder for files, emptied afterwards. */
  readonly folder: string
}

/** One benchmark. What it measures is compared within one run only: machines differ. */
export interface Bench {
  readonly name: string
  readonly description: string
  readonly run: (options: BenchOptions) => Effect.Effect<ReadonlyArray<Table>, unknown>
}

/** The value below which a fraction of the values lies. */
export const quantile = (values: ReadonlyArray<number> | Float64Array, fraction: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0
}

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits))

/** A repeatable source of numbers in [0, 1) (splitmix32). */
export const makeRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
