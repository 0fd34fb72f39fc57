import { Array as Arr, Either } from "effect"
import type { ScanReport } from "../../domain/scan/ScanReport.ts"
import { ScanVerdict } from "../../domain/scan/ScanVerdict.ts"

/** What a run of scans ends with, in this order of precedence. */
export const exitCodes = {
  /** A target came to a verdict that was named. */
  named: 1,
  /** A target could not be reached, or did not say its Status. */
  unreached: 3,
  /** The scan could not be made: the beacon node does not answer. */
  impossible: 4,
  well: 0
} as const

export const exitCodeFor = (reports: ReadonlyArray<ScanReport>, failOn: ReadonlyArray<ScanVerdict>): number => {
  if (reports.some(({ verdict }) => failOn.includes(verdict))) return exitCodes.named
  return reports.every(({ reached }) => reached) ? exitCodes.well : exitCodes.unreached
}

/** Reads `violating,evasive`, or `none`. */
export const parseFailOn = (text: string): Either.Either<ReadonlyArray<ScanVerdict>, string> => {
  const names = text.split(",").map((name) => name.trim())
  if (names.length === 1 && names[0] === "none") return Either.right([])
  const [unknown, verdicts] = Arr.separate(
    names.map((name) => {
      const verdict = ScanVerdict.literals.find((one) => one === name)
      return verdict === undefined ? Either.left(name) : Either.right(verdict)
    })
  )
  const [first] = unknown
  return first === undefined
    ? Either.right(verdicts)
    : Either.left(
        `--fail-on: there is no verdict ${JSON.stringify(first)}; allowed are none, or of ${ScanVerdict.literals.join(", ")} some, with commas between`
      )
}
