import type { ArrivedColumn } from "./BlockArrivals.ts"

/** Moments after the slot's start at which it is looked how much of a block is there, in seconds. */
export const shareMoments = [1, 2, 4, 8, 12] as const

/** How many of the columns that were expected are there: all, half of them at least, fewer, none. */
export const columnShares = ["all", "half", "some", "none"] as const
export type ColumnShare = (typeof columnShares)[number]

/** What share had come at each of those moments; nothing for a block of which nothing was expected. */
export const sharesOf = (columns: ReadonlyArray<ArrivedColumn<unknown>>): ReadonlyArray<ColumnShare> => {
  const expected = columns.filter(({ isSubscribed }) => isSubscribed)
  if (expected.length === 0) return []
  return shareMoments.map((seconds) => {
    const came = expected.filter(({ arrival }) => arrival !== null && arrival.ms <= seconds * 1000).length
    if (came === 0) return "none"
    if (came === expected.length) return "all"
    return 2 * came >= expected.length ? "half" : "some"
  })
}
