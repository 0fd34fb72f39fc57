import type { Outcome } from "./Job.ts"
import { blameOf } from "./Outcome.ts"

/** What comes of a conversation that was to settle suspicions. */
export const confirmationResults = [
  /** Something is blamed on the peer now. */
  "settled",
  /** Nothing is suspected any more: it was delivered, or cannot be judged. */
  "dropped",
  /** Some of it is as it was: the peer did not answer, turned us away, or failed otherwise than before. */
  "escaped"
] as const
export type ConfirmationResult = (typeof confirmationResults)[number]

/** The result of a confirmation with these outcomes. */
export const confirmationResult = (outcomes: ReadonlyArray<Outcome>): ConfirmationResult =>
  outcomes.some(({ outcome }) => blameOf[outcome] === "peer")
    ? "settled"
    : outcomes.some(({ outcome }) => blameOf[outcome] === "unproven" || outcome === "refused")
      ? "escaped"
      : "dropped"
