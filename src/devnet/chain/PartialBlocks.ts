import { numberOfColumns } from "../../domain/network/Chain.ts"
import { seeded } from "./Random.ts"

/**
 * Which columns of the block of a slot were ever published; `undefined` for all of them. Nobody on the network has any of
 * the others, and nobody computes them. Such a slot has a block, and that has blobs.
 */
export type PartialBlocks = (slot: number) => ReadonlySet<number> | undefined

/** One block in `every` slots, from the slot `first` on, of which so many columns were published. */
export interface PartialSeries {
  readonly columns: number
  /** Counted from the slot at which the network starts. */
  readonly first: number
  readonly every: number
}

export const allColumns: ReadonlySet<number> = new Set(Array.from({ length: numberOfColumns }, (_, column) => column))

/** So many columns of the block of a slot, which the seed chooses. */
export const someColumns = (seed: number, slot: number, count: number): ReadonlySet<number> =>
  new Set(
    seeded(seed, "published", slot)
      .shuffled([...allColumns])
      .slice(0, count)
  )

/** Those that are given by slot, and of the other slots what the series say, an earlier one before a later. */
export const partialBlocks = (options: {
  readonly seed: number
  /** The slot at which the network starts. */
  readonly start: number
  readonly series: ReadonlyArray<PartialSeries>
  readonly given: ReadonlyMap<number, ReadonlyArray<number>>
}): PartialBlocks => {
  const { given, seed, series, start } = options
  return (slot) => {
    const columns = given.get(slot)
    if (columns !== undefined) return new Set(columns)
    const one = series.find(({ every, first }) => slot >= start + first && (slot - start - first) % every === 0)
    return one === undefined ? undefined : someColumns(seed, slot, one.columns)
  }
}
