import type { PeerId } from "../../domain/Primitives.ts"
import type { Candidate, Member } from "./ChoosePeers.ts"
import { type ColumnSet, inCommon } from "./ColumnSet.ts"
import { makeDialLimits } from "./DialLimits.ts"

export interface GuestLimits {
  /** Peers that the set may have beside its target. */
  readonly target: number
  readonly mostGuests: number
  /** Dials under way at once. */
  readonly dialsAtOnce: number
  /** Of these columns, others are to come who owe any. */
  readonly columns: ColumnSet
  /** To be dialled now, at most. */
  readonly most: number
}

/** Whom to dial for some columns. */
export interface Guests {
  readonly dial: ReadonlyArray<PeerId>
  /** There are more who owe some of the columns, and may not be dialled now. */
  readonly areMore: boolean
}

/**
 * Whom to dial beside the set because somebody wants columns that nobody has who is connected. First goes who owes the most
 * columns that no other guest owes, so supernodes; of equal ones who was reached before, who can be relied on most, and who
 * was touched the longest ago. Each column gets one guest before any gets two.
 */
export const chooseGuests = (
  members: ReadonlyArray<Member>,
  candidates: ReadonlyArray<Candidate>,
  { columns, dialsAtOnce, most, mostGuests, target }: GuestLimits
): Guests => {
  const limits = makeDialLimits()
  for (const { isConnected, isDialling, places } of members) {
    if (isConnected || isDialling) limits.take(places, isDialling)
  }
  const dialling = members.filter(({ isDialling }) => isDialling).length
  const chosen = members.filter(
    ({ isChosen, isConnected, isDialling }) => isChosen && (isConnected || isDialling)
  ).length
  const room = Math.min(most, dialsAtOnce - dialling, target + mostGuests - chosen)
  const left = new Set(candidates.filter((candidate) => inCommon(candidate.columns, columns) > 0))
  const picked: Array<PeerId> = []
  let open = columns
  let isPassedOver = false
  while (picked.length < room && left.size > 0) {
    const best = bestOf(left, open)
    if (best === undefined) {
      open = columns
      continue
    }
    left.delete(best)
    if (!limits.allows(best.places)) {
      isPassedOver = true
      continue
    }
    picked.push(best.peerId)
    limits.take(best.places, true)
    open = without(open, best.columns)
  }
  return { dial: picked, areMore: isPassedOver || left.size > 0 }
}

/** Of those that owe any of the columns. */
const bestOf = (candidates: Iterable<Candidate>, open: ColumnSet): Candidate | undefined => {
  let best: { readonly candidate: Candidate; readonly gain: number } | undefined
  for (const candidate of candidates) {
    const gain = inCommon(candidate.columns, open)
    if (gain > 0 && (best === undefined || isBefore(candidate, gain, best))) best = { candidate, gain }
  }
  return best?.candidate
}

const isBefore = (
  candidate: Candidate,
  gain: number,
  best: { readonly candidate: Candidate; readonly gain: number }
): boolean => {
  if (gain !== best.gain) return gain > best.gain
  if (candidate.isReachable !== best.candidate.isReachable) return candidate.isReachable
  if (candidate.score !== best.candidate.score) return candidate.score > best.candidate.score
  return candidate.touchedAt < best.candidate.touchedAt
}

const without = (columns: ColumnSet, taken: ColumnSet): ColumnSet =>
  columns.map((word, index) => (word & ~(taken[index] ?? 0)) >>> 0)
