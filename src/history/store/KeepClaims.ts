import { dayOf } from "../../domain/Day.ts"

/** A claim on record, as far as it decides whether it stays there. */
export interface KeptClaim {
  readonly custodyGroupCount: number
  /** Unix milliseconds. */
  readonly observedAt: number
}

/** Of the changes of one peer on one day, those that are kept whatever lies between them. */
const firstOfDay = 8
const newestOfDay = 15

/** So many of a day are kept, and one more has come when one is left out. */
export const claimsPerDay = firstOfDay + newestOfDay + 1

/**
 * Which claim of a peer is to be left out, by its place in `newestFirst`, the peer's claims of which the last has just
 * been added; none while there are few of its day. Only a peer that changes its claim all day has that many.
 *
 * Between the first and the newest one stays, that with the fewest groups: a count takes in all groups of a smaller
 * one, so that whatever the peer has stopped to claim meanwhile, and claims again, still counts as claimed anew.
 */
export const claimToLeaveOut = (newestFirst: ReadonlyArray<KeptClaim>): number | undefined => {
  const [newest] = newestFirst
  const first = newestFirst[claimsPerDay]
  if (newest === undefined || first === undefined) return undefined
  if (dayOf(first.observedAt) !== dayOf(newest.observedAt)) return undefined
  const [later, earlier] = [newestFirst[newestOfDay], newestFirst[newestOfDay + 1]]
  if (later === undefined || earlier === undefined) return undefined
  return earlier.custodyGroupCount < later.custodyGroupCount ? newestOfDay : newestOfDay + 1
}
