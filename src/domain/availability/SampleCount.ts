import { columnsToReconstruct, numberOfColumns } from "../network/Chain.ts"
import { probabilityAtMost, probabilityOf } from "./Hypergeometric.ts"

/** SAMPLES_PER_SLOT (fulu/das-core.md). */
export const samplesPerSlot = 8

/** So many columns, `allowed` of which may fail. */
export interface SampleStage {
  readonly count: number
  readonly allowed: number
}

/**
 * The probability that a block passes of which only `present` columns exist, whichever those are: at most `allowed` of
 * `count` columns drawn uniformly without replacement are not among them. The default is the block that can just not be
 * rebuilt: for no allowed failures C(63, count) / C(128, count).
 */
export const passingProbability = ({ allowed, count }: SampleStage, present = columnsToReconstruct - 1): number =>
  probabilityAtMost(allowed, { total: numberOfColumns, marked: numberOfColumns - present, drawn: count })

/**
 * get_extended_sample_count of the peer sampling that consensus-specs had until 8df5d119b (fulu/peer-sampling.md): how
 * many columns must be asked for so that, with `allowedFailures` failing, an unrecoverable block passes no more
 * probably than `samples` do without a failure.
 */
export const getExtendedSampleCount = (allowedFailures: number, samples = samplesPerSlot): number => {
  const threshold = passingProbability({ count: samples, allowed: 0 })
  for (let count = samples; count < numberOfColumns; count++) {
    // The threshold itself counts as reached: it is what no failure comes to.
    if (passingProbability({ count, allowed: allowedFailures }) <= threshold * (1 + rounding)) return count
  }
  return numberOfColumns
}

const rounding = 1e-12

/** The stages that sampling goes through as columns fail, each once: no failure first, then one more each time. */
export const sampleStages = (samples: number, mostFailures: number): ReadonlyArray<SampleStage> =>
  Array.from({ length: mostFailures + 1 }, (_, allowed) => ({
    count: getExtendedSampleCount(allowed, samples),
    allowed
  }))

/**
 * The probability that a block of which only `present` columns exist passes any of these stages, one after the other over
 * the same order of columns: what is truly risked when sampling goes on after a failure, a little more than the last
 * stage alone would say.
 */
export const passingAnyOf = (stages: ReadonlyArray<SampleStage>, present = columnsToReconstruct - 1): number => {
  const absent = numberOfColumns - present
  let passed = 0
  let drawn = 0
  /** By columns that failed so far: the probability to have come so far without passing. */
  let open = new Map([[0, 1]])
  for (const { allowed, count } of stages) {
    const next = new Map<number, number>()
    for (const [failed, probability] of open) {
      const more = { total: numberOfColumns - drawn, marked: absent - failed, drawn: count - drawn }
      for (let added = 0; added <= more.drawn; added++) {
        const share = probability * probabilityOf(added, more)
        if (share === 0) continue
        if (failed + added <= allowed) passed += share
        else next.set(failed + added, (next.get(failed + added) ?? 0) + share)
      }
    }
    open = next
    drawn = count
  }
  return Math.min(1, passed)
}
