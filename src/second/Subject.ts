import type { Job, Outcome, Probe } from "../domain/probe/Job.ts"
import type { Root, Slot } from "../domain/Primitives.ts"

/** What one identity came to, of one combination; what proves nothing is in neither. */
export interface Held {
  readonly slot: Slot
  readonly column: number
  /** Of the canonical block then. */
  readonly blockRoot: Root
  /** Whether it came and verified, or else was left out of a clean answer, or came and proves itself wrong. */
  readonly has: boolean
}

/** What the second identity asks, and what the first came to with it. */
export interface Subject {
  readonly job: Job
  readonly held: ReadonlyArray<Held>
}

/** Of one question: some 3 MB with 9 blobs a block. */
const mostSlots = 4
const mostColumns = 8

/**
 * A part of what a probe asked, of the same shape: around something that the peer lacks, if there is any, or else around
 * something that it had. `draw(n)` gives 0 to n − 1. None if the probe proves nothing.
 */
export const subjectOf = (probe: Probe, draw: (below: number) => number): Subject | undefined => {
  const held = heldOf(probe)
  const lacking = held.filter(({ has }) => !has)
  const choice = lacking.length > 0 ? lacking : held
  const centre = choice[draw(choice.length)]
  if (centre === undefined) return undefined
  const { columns, count, peerId, startSlot } = probe.job
  const slots = Math.min(mostSlots, count)
  const place = (at: number, size: number, all: number) => Math.max(0, Math.min(at - draw(size), all - size))
  const first = place(columns.indexOf(centre.column), Math.min(mostColumns, columns.length), columns.length)
  const job: Job = {
    peerId,
    startSlot: startSlot + place(centre.slot - startSlot, slots, count),
    count: slots,
    columns: columns.slice(first, first + mostColumns)
  }
  return { job, held: within(held, job) }
}

/** What a probe of the first identity proves, one way or the other. What is merely suspected proves nothing. */
const heldOf = ({ outcomes }: Pick<Probe, "outcomes">): ReadonlyArray<Held> =>
  outcomes.flatMap((outcome): ReadonlyArray<Held> => {
    const { blockRoot, column, slot } = outcome
    if (outcome.outcome === "success") return [{ slot, column, blockRoot, has: true }]
    return isLack(outcome) ? [{ slot, column, blockRoot, has: false }] : []
  })

/** The same of a question that was put once more: what is left out then was proven to be left out before. */
export const heldAgain = ({ outcomes }: Pick<Probe, "outcomes">): ReadonlyArray<Held> => [
  ...heldOf({ outcomes }),
  ...outcomes
    .filter(({ outcome, suspicion }) => outcome === "suspected" && suspicion === "missing")
    .map(({ blockRoot, column, slot }): Held => ({ slot, column, blockRoot, has: false }))
]

/** Left out of two conversations, by range and by root; or bytes that are evidence by themselves. */
const isLack = ({ check, outcome }: Outcome): boolean =>
  outcome === "missing" || (outcome === "invalid" && check !== "header" && check !== "structure")

const within = (held: ReadonlyArray<Held>, { columns, count, startSlot }: Job): ReadonlyArray<Held> =>
  held.filter(({ column, slot }) => slot >= startSlot && slot < startSlot + count && columns.includes(column))

/** Combinations of `first` of which `second` says the contrary, about the same block. */
export const contradicted = (first: ReadonlyArray<Held>, second: ReadonlyArray<Held>): ReadonlyArray<Held> =>
  first.filter((one) => second.some((other) => isSameCombination(one, other) && one.has !== other.has))

/** Combinations of `first` of which `second` says the same, about the same block. */
export const repeated = (first: ReadonlyArray<Held>, second: ReadonlyArray<Held>): ReadonlyArray<Held> =>
  first.filter((one) => second.some((other) => isSameCombination(one, other) && one.has === other.has))

const isSameCombination = (a: Held, b: Held): boolean =>
  a.slot === b.slot && a.column === b.column && a.blockRoot === b.blockRoot
