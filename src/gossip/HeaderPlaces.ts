import type { Asker } from "./Asker.ts"

/** Bounds the headers of which something is found out or waited for, so that no peer takes the places of others. */
export interface HeaderPlaces {
  /** A place, which has to be given back; none where there is none. */
  readonly take: (asker: Asker) => (() => void) | undefined
}

/** Half of the places is for peers whose columns were accepted; signed headers have as many of their own. */
export const makeHeaderPlaces = (most: number): HeaderPlaces => {
  const counts = new Map<string, number>()
  const of = (name: string) => counts.get(name) ?? 0
  const add = (name: string, by: number): void => {
    const count = of(name) + by
    if (count > 0) counts.set(name, count)
    else counts.delete(name)
  }
  return {
    take: (asker) => {
      const isSigned = asker._tag === "Signed"
      const own = isSigned ? `proposer ${asker.proposerIndex}` : `peer ${asker.peer}`
      const all = isSigned ? "signed" : "others"
      const limit = isSigned || asker.isProven ? most : most / 2
      if (of(own) >= mostOfOne || of(all) >= limit) return undefined
      for (const name of [own, all]) add(name, 1)
      return () => [own, all].forEach((name) => add(name, -1))
    }
  }
}

/** Of one peer, or of one proposer: two of the present slot, and one that is early or late. */
const mostOfOne = 3
