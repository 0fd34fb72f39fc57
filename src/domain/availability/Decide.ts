import { columnsToReconstruct, numberOfColumns } from "../network/Chain.ts"
import type { Witness } from "./ChooseWitnesses.ts"
import {
  type Answer,
  type ColumnEvidence,
  type ColumnState,
  columnStateOf,
  familiesOf,
  groupsOf,
  leastPeers
} from "./Evidence.ts"
import { probabilityAtLeast } from "./Hypergeometric.ts"
import { passingAnyOf, type SampleStage } from "./SampleCount.ts"

/** What is known of a block when its availability is to be decided. */
export interface Sampled {
  /** All columns in the order in which they are sampled. */
  readonly order: ReadonlyArray<number>
  readonly stages: ReadonlyArray<SampleStage>
  /** Of the columns that anyone was asked for. */
  readonly evidence: ReadonlyMap<number, ColumnEvidence>
  /** Why nothing may be held against the block: it is no longer canonical, or something is wrong with ourselves. */
  readonly trouble: string | undefined
}

export interface Decision {
  readonly verdict: "available" | "unavailable" | "undetermined"
  /** A sentence for a person. */
  readonly reason: string
  /** The stage by which the block passed; none where it did not, or not by its samples. */
  readonly stage: SampleStage | undefined
  /**
   * Of `available` only: the probability that a block of which 63 columns exist would have passed, the stages before it
   * counted in; 0 where 64 columns came.
   */
  readonly passing: number | undefined
}

/**
 * Decides what can be decided. `available` as soon as the samples of a stage came but for the failures that it allows, or 64
 * columns: a column that is absent and one that nobody answers for fail alike, or whoever withholds would only have to
 * be silent. `undetermined` where that has not come, or not yet.
 *
 * `unavailable` is said only when it `isOver`, nothing is wrong with ourselves, and the columns that are proven absent are
 * so many that at most one recoverable block in ten thousand would show it: of the first columns of the order that
 * were looked at, those that nobody answered for count as there. With 65 absent it is certain.
 */
export const decide = (sampled: Sampled, isOver: boolean): Decision => {
  const { order, stages } = sampled
  const stateOf = statesOf(sampled)
  const present = order.filter((column) => stateOf(column) === "present").length
  const reached = stages.findIndex(({ allowed, count }) => failuresIn(order.slice(0, count), stateOf) <= allowed)
  const stage = stages[reached]
  if (stage !== undefined) {
    const passing = passingAnyOf(stages.slice(0, reached + 1))
    const reason = `${stage.count - failuresIn(order.slice(0, stage.count), stateOf)} of ${stage.count} columns drawn at random came`
    return { verdict: "available", reason, stage, passing }
  }
  if (present >= columnsToReconstruct) {
    const reason = `${present} columns came, which is enough to rebuild the others`
    return { verdict: "available", reason, stage: undefined, passing: 0 }
  }
  const undetermined = (reason: string): Decision => ({
    verdict: "undetermined",
    reason,
    stage: undefined,
    passing: undefined
  })
  if (sampled.trouble !== undefined) return undetermined(sampled.trouble)
  if (!isOver) return undetermined("not decided yet")
  const absent = absentOf(sampled)
  const witnesses = witnessesAgainst(sampled)
  if (doubtOf(sampled) > mostDoubt) return undetermined(describeLack(sampled, stateOf, present, absent.length))
  if (!areMany(witnesses, sampled)) {
    return undetermined(
      `${absent.length} columns are absent, and only ${new Set(witnesses.map(({ peerId }) => peerId)).size} peers say so, too much alike to believe it`
    )
  }
  return {
    verdict: "unavailable",
    reason:
      absent.length > numberOfColumns - columnsToReconstruct
        ? `${absent.length} columns are absent at all that were asked, so that fewer than 64 can exist`
        : `${absent.length} columns are absent at all that were asked, and ${present} came`,
    stage: undefined,
    passing: undefined
  }
}

/** Columns that enough peers answered without, ascending. */
const absentOf = ({ evidence }: Sampled): ReadonlyArray<number> =>
  [...evidence.values()]
    .filter((column) => columnStateOf(column) === "absent")
    .map(({ column }) => column)
    .sort((a, b) => a - b)

/**
 * How many columns of the order are to be looked at now: those of the least stage that can still pass. When none can because
 * peers say that they do not have the columns, all; when it is because nobody answers, no more than the last stage.
 */
export const columnsToLookAt = ({ evidence, order, stages }: Sampled): number => {
  const countIn = (count: number, is: (column: ColumnEvidence | undefined) => boolean): number =>
    order.slice(0, count).filter((column) => is(evidence.get(column))).length
  const stage = stages.find(({ allowed, count }) => countIn(count, hasFailed) <= allowed)
  if (stage !== undefined) return stage.count
  const last = stages.at(-1) ?? { count: 0, allowed: 0 }
  return countIn(last.count, isSaidAbsent) > last.allowed ? numberOfColumns : last.count
}

/** Two peers did not bring it, or all that there are: sampling goes on with more columns then, not only at the end. */
const hasFailed = (column: ColumnEvidence | undefined): boolean =>
  column !== undefined && !hasAnswer(column, "present") && column.answers.size >= Math.min(2, column.owedBy.length)

const isSaidAbsent = (column: ColumnEvidence | undefined): boolean =>
  column !== undefined && !hasAnswer(column, "present") && (hasAnswer(column, "absent") || hasAnswer(column, "early"))

const hasAnswer = ({ answers }: ColumnEvidence, wanted: Answer): boolean =>
  [...answers.values()].some(({ answer }) => answer === wanted)

const statesOf = ({ evidence }: Sampled): ((column: number) => ColumnState) => {
  const states = new Map(Array.from(evidence, ([column, about]) => [column, columnStateOf(about)]))
  return (column) => states.get(column) ?? "open"
}

const failuresIn = (columns: ReadonlyArray<number>, stateOf: (column: number) => ColumnState): number =>
  columns.filter((column) => stateOf(column) !== "present").length

/**
 * The probability that a block of which 64 columns exist shows as many absent ones among the columns looked at. Those are
 * the first of the order up to a stage, or all; of several the least, times how many there are.
 */
const doubtOf = (sampled: Sampled): number => {
  const stateOf = statesOf(sampled)
  const last = sampled.stages.at(-1)?.count ?? 0
  const looks = [last, numberOfColumns]
  const each = looks.map((drawn) => {
    const absent = sampled.order.slice(0, drawn).filter((column) => stateOf(column) === "absent").length
    return probabilityAtLeast(absent, {
      total: numberOfColumns,
      marked: numberOfColumns - columnsToReconstruct,
      drawn
    })
  })
  return Math.min(...each) * looks.length
}

/** Everybody whose answer says that a column is absent. */
const witnessesAgainst = ({ evidence }: Sampled): ReadonlyArray<Witness> =>
  [...evidence.values()]
    .filter((column) => columnStateOf(column) === "absent")
    .flatMap(({ answers }) =>
      [...answers.values()].flatMap(({ answer, witness }) => (answer === "absent" ? [witness] : []))
    )

/** A block is not called unavailable on the word of a few, whatever the single columns say. */
const areMany = (witnesses: ReadonlyArray<Witness>, { evidence }: Sampled): boolean => {
  const all = [...evidence.values()].flatMap(({ owedBy }) => owedBy)
  return (
    new Set(witnesses.map(({ peerId }) => peerId)).size >= leastPeers + 1 &&
    familiesOf(witnesses).size >= Math.min(2, familiesOf(all).size) &&
    groupsOf(witnesses).size >= Math.min(2, groupsOf(all).size)
  )
}

const describeLack = (
  { evidence, order, stages }: Sampled,
  stateOf: (column: number) => ColumnState,
  present: number,
  absent: number
): string => {
  const looked = order.slice(0, Math.max(stages[0]?.count ?? 0, evidence.size))
  const unheld = looked.filter((column) => (evidence.get(column)?.owedBy.length ?? 0) === 0).length
  const few = looked.filter((column) => stateOf(column) === "open").length - unheld
  return [
    `${present} columns came`,
    ...(absent === 0 ? [] : [`${absent} are absent`]),
    ...(few <= 0 ? [] : [`of ${few} too few peers answered`]),
    ...(unheld <= 0 ? [] : [`of ${unheld} no connected peer keeps them`])
  ].join(", ")
}

/** At most so many recoverable blocks may be called unavailable. */
const mostDoubt = 1e-4
