import { Effect } from "effect"
import { ComplianceBy } from "../../src/domain/report/Question.ts"
import { dayMs } from "../../src/domain/Day.ts"
import { type ReportError, Reports } from "../../src/history/report/Reports.ts"
import * as ReportsWorker from "../../src/history/report/ReportsWorker.ts"

export interface QuestionTime {
  readonly question: string
  /** Milliseconds from asking to the answer, in a thread of its own and decoded. */
  readonly medianMs: number
  readonly maxMs: number
}

/**
 * How long each question about the history at `path` takes, of so many times each. The first time is left out: it is
 * when the disk is read.
 */
export const questionTimes = (options: {
  readonly path: string
  readonly times: number
}): Effect.Effect<ReadonlyArray<QuestionTime>, ReportError> =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const times: Array<QuestionTime> = []
    for (const [question, ask] of yield* questionsOf(reports)) {
      yield* ask
      const taken: Array<number> = []
      for (let n = 0; n < options.times; n++) {
        const begin = performance.now()
        yield* ask
        taken.push(performance.now() - begin)
      }
      taken.sort((a, b) => a - b)
      times.push({ question, medianMs: taken[taken.length >> 1] ?? NaN, maxMs: taken.at(-1) ?? NaN })
    }
    return times
  }).pipe(Effect.provide(ReportsWorker.layer(options)))

const questionsOf = (reports: Reports["Type"]) =>
  Effect.gen(function* () {
    const { lastDay } = yield* reports.extent
    const since = (lastDay ?? Math.floor(Date.now() / dayMs)) - 6
    const [probe] = (yield* reports.probes({ limit: 1 })).probes
    const [failed] = (yield* reports.worst({ limit: 1 })).rows
    const slot = probe?.job.startSlot ?? 0
    const column = probe?.job.columns[0] ?? 0
    const peerId = failed?.peerId ?? probe?.job.peerId ?? ""
    const questions: ReadonlyArray<readonly [string, Effect.Effect<unknown, ReportError>]> = [
      ["extent", reports.extent],
      ...ComplianceBy.literals.flatMap((by) => [
        [`compliance by ${by}`, reports.compliance({ by })] as const,
        [`compliance by ${by}, 7 days`, reports.compliance({ by, since })] as const
      ]),
      ["worst", reports.worst({})],
      ["worst, 7 days", reports.worst({ since })],
      ["untested", reports.untested({})],
      ["slot", reports.slot({ slot })],
      ["probes", reports.probes({})],
      ["probes of a peer", reports.probes({ peerId })],
      ["probes of a slot", reports.probes({ slot })],
      ["probes of a column", reports.probes({ column })],
      ["probes with a missing column", reports.probes({ outcome: "missing" })],
      ["probes of a column with it missing", reports.probes({ column, outcome: "missing" })],
      ["failures of a peer", reports.failures({ peerId })],
      ["claims of a peer", reports.claims({ peerId })],
      ["days of a peer", reports.peerDays({ peerId })]
    ]
    return questions
  })
