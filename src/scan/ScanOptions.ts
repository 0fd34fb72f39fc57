import { Duration } from "effect"
import type { Slot } from "../domain/Primitives.ts"

/** How a peer is scanned. */
export interface ScanOptions {
  /** Slots to ask for, drawn at random; by what the peer claims if left out (`usualSlots`). */
  readonly slots?: number | undefined
  /** Just these slots, in place of random ones. */
  readonly only: ReadonlyArray<Slot>
  /**
   * `owed`: the columns that follow from its claim. `all`: all that there are; those beyond the claim are verified where
   * they come, and their absence is nothing to it.
   */
  readonly columns: "owed" | "all"
  /** Between what is suspected and the question that settles it. */
  readonly confirmAfter: Duration.Duration
  /** For everything about one peer. */
  readonly timeLimit: Duration.Duration
}

/**
 * Longer than a slot of every public network, within which some clients compute what was asked for; and short enough
 * for two further conversations in a run of about a minute.
 */
export const defaultConfirmAfter = Duration.seconds(15)

/** Enough for the questions themselves, and for the waits of three conversations. */
export const timeLimitFor = (confirmAfter: Duration.Duration): Duration.Duration =>
  Duration.sum(Duration.seconds(45), Duration.times(confirmAfter, 3))

/** Sixteen slots of a peer with up to 16 columns, and four of one with all: what a careful node asks of a stranger in a minute. */
export const usualSlots = (columns: number): number =>
  Math.min(16, Math.max(4, Math.round(usualCombinations / Math.max(1, columns))))

const usualCombinations = 256
