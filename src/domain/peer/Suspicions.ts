import { Duration, Schema } from "effect"
import type { Outcome } from "../probe/Job.ts"
import { InvalidCheck, SuspicionKind } from "../probe/Outcome.ts"
import { maxRequestBlocks } from "../network/Chain.ts"
import { Root, Slot } from "../Primitives.ts"

/** What is suspected of one peer in one slot; it is asked for again by its block's root. */
export const SuspectedSlot = Schema.Struct({
  slot: Slot,
  blockRoot: Root,
  columns: Schema.Array(
    Schema.Struct({
      column: Schema.Int,
      suspicion: SuspicionKind,
      check: Schema.optional(InvalidCheck),
      /** A sentence for a person. */
      reason: Schema.String,
      /** Whether the slot was final already, to us and to the peer, in a conversation that raised the suspicion. */
      isFinal: Schema.optional(Schema.Boolean),
      /** Whether conversations came to different kinds of it: left out in one, and refused in another. */
      isMixed: Schema.optional(Schema.Boolean)
    })
  ),
  /** Unix milliseconds of the newest conversation that raised a suspicion of it. */
  since: Schema.Number,
  /** Conversations that were to settle it, and did not. */
  attempts: Schema.Int,
  /** Unix milliseconds before which it is left alone. */
  askAgainAt: Schema.Number
}).annotations({ identifier: "SuspectedSlot" })
export type SuspectedSlot = typeof SuspectedSlot.Type

export type SuspectedColumn = SuspectedSlot["columns"][number]

/** What broke off where a combination would have come says nothing of the combination yet. */
export const isBroken = (suspicion: SuspicionKind): boolean =>
  suspicion === "server_error" || suspicion === "unanswered"

/**
 * Whether another conversation that comes to `now` is enough to accuse: of two kinds of trouble, each of which may pass,
 * it takes three.
 */
export const isConfirmedBy = (before: SuspectedColumn | undefined, now: SuspicionKind): boolean =>
  before !== undefined && !isBroken(before.suspicion) && (before.suspicion === now || before.isMixed === true)

/** Everything that is suspected of a peer and not settled, by slot. */
export type Suspicions = ReadonlyMap<Slot, SuspectedSlot>

export const suspicionsOf = (slots: ReadonlyArray<SuspectedSlot>): Suspicions =>
  new Map(slots.map((suspected) => [suspected.slot, suspected]))

export const noSuspicions: Suspicions = new Map()

/** Combinations that are kept, at most. One is enough to find a peer out; what has no room here is asked for once more. */
export const mostSuspicions = 256

/** Combinations that are suspected; those that are only asked for again because an answer broke off there are not. */
export const countSuspicions = (suspicions: Suspicions): number =>
  countColumns(suspicions, ({ suspicion }) => suspicion !== "unanswered")

const countColumns = (suspicions: Suspicions, counts: (entry: SuspectedColumn) => boolean = () => true): number => {
  let sum = 0
  for (const { columns } of suspicions.values()) sum += columns.filter(counts).length
  return sum
}

/** What a probe brought, and when its conversation ended. */
export interface Heard {
  readonly outcomes: ReadonlyArray<Outcome>
  /** Unix milliseconds. */
  readonly at: number
  /** Whether it was to settle what is suspected: only that counts as an attempt. */
  readonly isConfirmation: boolean
  /** The last slot that was final, to us and to the peer. */
  readonly finalUpTo: Slot
  /** How long a suspicion is left alone before it is asked for again. */
  readonly confirmAfter: Duration.Duration
}

/**
 * `suspicions` after a probe. What was delivered, was blamed, or cannot be judged any more is settled; what is suspected
 * is taken down; what was asked for again in vain waits, longer each time.
 */
export const withOutcomes = (suspicions: Suspicions, heard: Heard): Suspicions => {
  const told = [...bySlot(heard.outcomes)].filter(
    ([slot, outcomes]) => suspicions.has(slot) || outcomes.some(({ suspicion }) => suspicion !== undefined)
  )
  if (told.length === 0) return suspicions
  const next = new Map(suspicions)
  for (const [slot, outcomes] of told) {
    const before = suspicions.get(slot)
    const after = slotAfter(before, outcomes, heard)
    next.delete(slot)
    // Those that were known come first: what has no room is what is new.
    const columns = after?.columns.slice(0, mostSuspicions - countColumns(next)) ?? []
    if (after !== undefined && columns.length > 0) next.set(slot, { ...after, columns })
  }
  return next
}

/** Slots that are asked for again in one probe, and how far they may lie apart. */
const together = { most: 4, span: maxRequestBlocks }

/** What to ask for next, of that which `isReady` says can be settled: what has waited the longest, and some near it. */
export const dueSuspicions = (
  suspicions: Suspicions,
  now: number,
  isReady: (suspected: SuspectedSlot) => boolean
): ReadonlyArray<SuspectedSlot> => {
  const due = [...suspicions.values()]
    .filter((suspected) => suspected.askAgainAt <= now && isReady(suspected))
    .sort((a, b) => a.askAgainAt - b.askAgainAt || a.slot - b.slot)
  const [first] = due
  if (first === undefined) return []
  const near = due.filter(({ slot }) => Math.abs(slot - first.slot) < together.span / 2)
  return near.slice(0, together.most).sort((a, b) => a.slot - b.slot)
}

/** `suspicions` when a question that would have settled this slot could not be put, or was not answered. */
export const postponed = (
  suspicions: Suspicions,
  slot: Slot,
  at: number,
  confirmAfter: Duration.Duration
): Suspicions => {
  const suspected = suspicions.get(slot)
  if (suspected === undefined) return suspicions
  const attempts = suspected.attempts + 1
  return new Map(suspicions).set(slot, { ...suspected, attempts, askAgainAt: at + waitMs(confirmAfter, attempts) })
}

/** Without the slots that nobody can be asked for any more. */
export const withoutSlots = (suspicions: Suspicions, isGone: (suspected: SuspectedSlot) => boolean): Suspicions => {
  const kept = [...suspicions].filter(([, suspected]) => !isGone(suspected))
  return kept.length === suspicions.size ? suspicions : new Map(kept)
}

/** Twice as long after each vain attempt, up to six hours. */
const waitMs = (confirmAfter: Duration.Duration, attempts: number): number =>
  Math.min(Duration.toMillis(confirmAfter) * 2 ** attempts, Math.max(longestWaitMs, Duration.toMillis(confirmAfter)))

const longestWaitMs = Duration.toMillis("6 hours")

const bySlot = (outcomes: ReadonlyArray<Outcome>): ReadonlyMap<Slot, ReadonlyArray<Outcome>> => {
  const slots = new Map<Slot, Array<Outcome>>()
  for (const outcome of outcomes) {
    const known = slots.get(outcome.slot)
    if (known === undefined) slots.set(outcome.slot, [outcome])
    else known.push(outcome)
  }
  return slots
}

const slotAfter = (
  before: SuspectedSlot | undefined,
  outcomes: ReadonlyArray<Outcome>,
  { at, confirmAfter, finalUpTo, isConfirmation }: Heard
): SuspectedSlot | undefined => {
  const [first] = outcomes
  if (first === undefined) return before
  // Another block is another question.
  const kept = before?.blockRoot === first.blockRoot ? before : undefined
  const columns = new Map((kept?.columns ?? []).map((entry) => [entry.column, entry]))
  let isNew = kept === undefined
  const isFinal = first.slot <= finalUpTo
  for (const { check, column, outcome, reason = "", suspicion } of outcomes) {
    if (suspicion === undefined) {
      if (isSettled(outcome)) columns.delete(column)
      continue
    }
    const known = columns.get(column)
    // An answer that breaks off takes nothing back of what was left out before.
    if (suspicion === "unanswered" && known !== undefined) continue
    const isOther = known?.suspicion !== suspicion
    // What was refused and is now left out is left out for the first time, and so is what was not final before.
    if (isOther || (isFinal && known.isFinal !== true)) isNew = true
    const isMixed = known !== undefined && !isBroken(known.suspicion) && (isOther || known.isMixed === true)
    columns.set(column, {
      column,
      suspicion,
      ...(check === undefined ? {} : { check }),
      reason: reason.slice(0, 200),
      ...(isFinal || known?.isFinal === true ? { isFinal: true } : {}),
      ...(isMixed ? { isMixed } : {})
    })
  }
  if (columns.size === 0) return undefined
  const entries = [...columns.values()]
  if (kept !== undefined && !isNew) {
    if (!isConfirmation) return { ...kept, columns: entries }
    const attempts = kept.attempts + 1
    return { ...kept, columns: entries, attempts, askAgainAt: at + waitMs(confirmAfter, attempts) }
  }
  return {
    slot: first.slot,
    blockRoot: first.blockRoot,
    columns: entries,
    since: at,
    attempts: 0,
    askAgainAt: at + Duration.toMillis(confirmAfter)
  }
}

/** A timeout, a lost connection and a refusal settle nothing. */
const isSettled = (outcome: Outcome["outcome"]): boolean => {
  switch (outcome) {
    case "success":
    case "missing":
    case "invalid":
    case "unavailable":
    case "malformed":
    case "unverifiable":
      return true
    case "timeout":
    case "disconnected":
    case "refused":
    case "suspected":
      return false
  }
}
