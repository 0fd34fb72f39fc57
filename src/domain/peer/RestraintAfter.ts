import { Option } from "effect"
import type { Outcome, Probe } from "../probe/Job.ts"
import type { RequestError } from "../probe/Outcome.ts"
import { unitsByRange, unitsByRoot } from "./ClientLimits.ts"
import { isTooMuch, type Restraint, withAnswer, withRefusal } from "./Restraint.ts"

/** What a probe came to, as far as it says how much the peer may be asked. */
export interface Ended {
  readonly probe: Pick<Probe, "purpose" | "job" | "outcomes" | "finishedAt">
  readonly error: Option.Option<RequestError>
  readonly wasAnswered: boolean
  /** Whether the range was answered, and then the question by root about what it left out was not. */
  readonly escapedByRoot: boolean
  /** Whether the peer has ever delivered a column. */
  readonly hasDelivered: boolean
  readonly testIntervalMs: number
}

/**
 * `restraint` after a probe. No limit explains a refusal of a question that cost no more than what was answered since the
 * last refusal, nor, of a peer that is asked little already, one of the few columns that it has just left out of an
 * answer.
 */
export const restraintAfter = (restraint: Restraint, ended: Ended): Restraint => {
  const { error, escapedByRoot, hasDelivered, probe, testIntervalMs, wasAnswered } = ended
  if (Option.exists(error, (one) => isTooMuch(one, hasDelivered))) {
    const isOdd = ({ answered = 0 }: Restraint): boolean =>
      escapedByRoot || (probe.purpose === "confirmation" && questionUnits(probe.outcomes) <= answered)
    return withRefusal(restraint, testIntervalMs, probe.finishedAt, isOdd)
  }
  const isAnswer = wasAnswered && probe.purpose === "sampling"
  const { columns, count } = probe.job
  return isAnswer ? withAnswer(restraint, unitsByRange(count, columns.length), probe.finishedAt) : restraint
}

/** At most: each slot by root, and by range. */
const questionUnits = (outcomes: ReadonlyArray<Outcome>): number =>
  unitsByRoot(1, outcomes.length) + new Set(outcomes.map(({ slot }) => slot)).size + outcomes.length
