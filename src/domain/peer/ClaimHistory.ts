import { Option } from "effect"
import { type SlotClock, slotAt } from "../network/Chain.ts"
import { type Claim, sameClaim } from "./Claim.ts"
import type { Slot } from "../Primitives.ts"

/**
 * A peer's claims over time, as far as they decide what it owes: a column that joined the claim while we watched is
 * owed only from the slot at which we heard of it, because a node need not fetch the past of a new custody group
 * (fulu/das-core.md, "Custody"; fulu/validator.md, "Validator custody").
 */
export interface ClaimHistory {
  readonly current: Claim
  /** First slot owed, of the columns that joined later. */
  readonly joined: ReadonlyMap<number, Slot>
}

/** The first claim that was heard: all of it is owed. */
export const startClaims = (claim: Claim): ClaimHistory => ({ current: claim, joined: new Map() })

/** Adds a claim heard while `currentSlot` was running. */
export const extendClaims = (history: ClaimHistory, claim: Claim, currentSlot: Slot): ClaimHistory => {
  if (sameClaim(history.current, claim)) return { current: claim, joined: history.joined }
  const before = new Set(history.current.columns)
  return {
    current: claim,
    joined: new Map(
      claim.columns.flatMap((column): ReadonlyArray<readonly [number, Slot]> => {
        const slot = before.has(column) ? history.joined.get(column) : currentSlot
        return slot === undefined ? [] : [[column, slot]]
      })
    )
  }
}

/** The claims of a peer as they were heard, ascending in time; none if there were none. */
export const replayClaims = (chain: SlotClock, claims: ReadonlyArray<Claim>): Option.Option<ClaimHistory> => {
  const [first, ...later] = claims
  return first === undefined
    ? Option.none()
    : Option.some(
        later.reduce((past, claim) => extendClaims(past, claim, slotAt(chain, claim.observedAt)), startClaims(first))
      )
}

/**
 * Whether this combination is within the claim: from the earliest available slot to the head that the peer claimed
 * itself, retention and margins aside.
 */
export const owes = (history: ClaimHistory, slot: Slot, column: number): boolean =>
  slot <= history.current.headSlot &&
  slot >= (history.current.earliestAvailableSlot ?? 0) &&
  slot >= (history.joined.get(column) ?? 0) &&
  history.current.columns.includes(column)

/** Whether both oblige to the same columns from the same slots on, the earliest available slot aside. */
export const owesTheSame = (a: ClaimHistory, b: ClaimHistory): boolean =>
  a === b ||
  (a.current.columns.length === b.current.columns.length &&
    a.joined.size === b.joined.size &&
    a.current.columns.every((column, index) => column === b.current.columns[index]) &&
    a.current.columns.every((column) => a.joined.get(column) === b.joined.get(column)))
