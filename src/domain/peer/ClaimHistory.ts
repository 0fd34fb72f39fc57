import { Option } from "effect"
import { type ChainParameters, serveRange, type SlotClock, type SlotRange, slotAt } from "../network/Chain.ts"
import { type Claim, sameClaim } from "./Claim.ts"
import type { Slot } from "../Primitives.ts"

/**
 * A peer's claims over time, as far as they decide what it owes: a column that joined the claim while we watched is
 * owed only from some slots after the one at which we heard of it, because a node need not fetch the past of a new
 * custody group (fulu/das-core.md, "Custody"; fulu/validator.md, "Validator custody"), and some begin to store a group a
 * little after they claim it.
 */
export interface ClaimHistory {
  readonly current: Claim
  /** First slot owed, of the columns that joined later. */
  readonly joined: ReadonlyMap<number, Slot>
  /** Some slots after the head that the peer claimed when it was met. */
  readonly watchedFrom: Slot
}

/** The first claim that was heard: all of it is owed. */
export const startClaims = (claim: Claim): ClaimHistory => ({
  current: claim,
  joined: new Map(),
  watchedFrom: claim.headSlot + joinMarginSlots
})

/** Slots after the one at which a column was claimed for the first time, from which on it is owed. */
export const joinMarginSlots = 32

/** Adds a claim heard while `currentSlot` was running. */
export const extendClaims = (history: ClaimHistory, claim: Claim, currentSlot: Slot): ClaimHistory => {
  if (sameClaim(history.current, claim)) return { ...history, current: claim }
  const before = new Set(history.current.columns)
  return {
    ...history,
    current: claim,
    joined: new Map(
      claim.columns.flatMap((column): ReadonlyArray<readonly [number, Slot]> => {
        const slot = before.has(column) ? history.joined.get(column) : currentSlot + joinMarginSlots
        return slot === undefined ? [] : [[column, slot]]
      })
    )
  }
}

/**
 * The claims after one more was heard. What was said to a probe may be told after something newer, and changes nothing
 * then: it would seem to go back.
 */
export const hearClaim = (chain: SlotClock, before: Option.Option<ClaimHistory>, claim: Claim): ClaimHistory =>
  Option.match(before, {
    onNone: () => startClaims(claim),
    onSome: (known) =>
      claim.observedAt < known.current.observedAt ? known : extendClaims(known, claim, slotAt(chain, claim.observedAt))
  })

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

/** The claims as if the peer had claimed a head at this slot at least: its Status may be older than the block. */
export const withHeadFrom = (history: ClaimHistory, slot: Slot): ClaimHistory =>
  slot <= history.current.headSlot ? history : { ...history, current: { ...history.current, headSlot: slot } }

/** How far from the moving edges of its range a peer is asked, so that an honest one is never caught between. */
export interface Margins {
  /** Slots behind the lower of our and the peer's head: columns spread and are stored with a delay. */
  readonly headSlots: number
  /** Epochs above the retention edge, where peers prune at slightly different moments. */
  readonly retentionEpochs: number
}

/** Those that are kept of everybody. */
export const usualMargins: Margins = { headSlots: 8, retentionEpochs: 2 }

/**
 * The first slot of which a peer answers for what it claims: that of the epoch after its earliest available slot.
 * Clients that start from a checkpoint have its block and claim its slot, and not all of them have its columns. One that
 * does not say its earliest available slot (Status version 1) answers for what came after it was met.
 */
export const accountableFrom = ({ current, watchedFrom }: ClaimHistory, slotsPerEpoch: number): Slot =>
  current.earliestAvailableSlot === null
    ? watchedFrom
    : (Math.floor(current.earliestAvailableSlot / slotsPerEpoch) + 1) * slotsPerEpoch

/**
 * The slots for which a peer answers (fulu/p2p-interface.md, "earliest_available_slot"): from the latest of Fulu, the
 * retention edge and its earliest available slot, to the lower of both heads; without the margins.
 */
export const owedRange = (
  chain: ChainParameters,
  claims: ClaimHistory,
  ourHeadSlot: Slot,
  currentSlot: Slot,
  margins: Margins
): SlotRange => {
  const served = serveRange(chain, currentSlot)
  const edge = serveRange(chain, currentSlot + margins.retentionEpochs * chain.slotsPerEpoch)
  return {
    start: Math.max(served.start, edge.start, accountableFrom(claims, chain.slotsPerEpoch)),
    end: Math.min(claims.current.headSlot, ourHeadSlot) - margins.headSlots
  }
}

/**
 * Whether the peer can be blamed for this combination: it owes it, and not at the edge of its claim. `absence`: for not
 * delivering it.
 */
export const isAccountable = (
  history: ClaimHistory,
  slot: Slot,
  column: number,
  about: { readonly slotsPerEpoch: number; readonly absence: boolean }
): boolean =>
  owes(history, slot, column) &&
  (slot >= accountableFrom(history, about.slotsPerEpoch) ||
    // What it sends of its own accord is what it sent.
    (!about.absence && history.current.earliestAvailableSlot === null))

/** Whether both oblige to the same columns from the same slots on, the earliest available slot aside. */
export const owesTheSame = (a: ClaimHistory, b: ClaimHistory): boolean =>
  a === b ||
  (a.current.columns.length === b.current.columns.length &&
    a.joined.size === b.joined.size &&
    a.current.columns.every((column, index) => column === b.current.columns[index]) &&
    a.current.columns.every((column) => a.joined.get(column) === b.joined.get(column)))
