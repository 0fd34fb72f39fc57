import { Console, Effect } from "effect"
import { type Bench, rounded, type Table } from "../Bench.ts"
import { alone, hostilePhases, quickPhases } from "./Phases.ts"
import { type Observed, type Phase, runPhase } from "./World.ts"

/**
 * Whether a handful of hostile peers, sockets or clients can starve the built program, or fill it: its honest fleet alone,
 * then beside each of them, in runs of equal length. All are compared with the mean of two runs alone, the first and the
 * last. An `honestShare` is what was verified of honest peers against that; the one of the summary is the least of all.
 */
export const hostile: Bench = {
  name: "hostile",
  description: "an honest fleet alone, and beside those who would starve or fill the monitor",
  run: ({ folder, quick }) =>
    Effect.gen(function* () {
      const options = {
        folder,
        honest: 12,
        warmUp: quick ? "4 seconds" : "15 seconds",
        measure: quick ? "6 seconds" : "60 seconds"
      } as const
      const run = (phase: Phase) =>
        Effect.gen(function* () {
          const observed = yield* runPhase(phase, options)
          yield* Console.log(`${phase.name}: ${JSON.stringify(observed)}`)
          return { name: phase.name, observed }
        })
      const first = yield* run(alone)
      const beside = yield* Effect.forEach(quick ? quickPhases : hostilePhases, run)
      const last = yield* run(alone)
      return [tableOf(summaryOf([first.observed, last.observed], beside))]
    })
}

interface Share {
  readonly honestShare: number
  readonly verified: number
  readonly probes: number
  readonly rssMiB: number
  readonly rssRatio: number
  readonly lost: number
  readonly exitCode: number | null
  readonly otherwise: Observed["otherwise"]
  readonly done: Observed["done"]
}

export interface HostileSummary {
  /** The least of all phases. */
  readonly honestShare: number
  /** At its peak, in the phase in which that was highest, and what it is to `rssAloneMiB`. */
  readonly rssMiB: number
  readonly rssAloneMiB: number
  readonly rssRatio: number
  /** Events and recorded probes of all runs. */
  readonly lost: number
  readonly verifiedAlone: number
  readonly phases: Readonly<Record<string, Share>>
}

/** `alone` are runs of the honest fleet and nobody else. */
export const summaryOf = (
  alone: ReadonlyArray<Observed>,
  beside: ReadonlyArray<{ readonly name: string; readonly observed: Observed }>
): HostileSummary => {
  const mean = (of: (run: Observed) => number): number => alone.reduce((sum, run) => sum + of(run), 0) / alone.length
  const verifiedAlone = mean(({ verified }) => verified)
  const rssAloneMiB = mean(({ rssMiB }) => rssMiB)
  const shares = beside.map(({ name, observed }): readonly [string, Share] => [
    name,
    {
      honestShare: rounded(observed.verified / Math.max(1, verifiedAlone), 3),
      verified: observed.verified,
      probes: observed.probes,
      rssMiB: observed.rssMiB,
      rssRatio: rounded(observed.rssMiB / Math.max(1, rssAloneMiB), 3),
      lost: observed.lost,
      exitCode: observed.exitCode,
      otherwise: observed.otherwise,
      done: observed.done
    }
  ])
  const of = shares.map(([, share]) => share)
  return {
    honestShare: Math.min(...of.map(({ honestShare }) => honestShare)),
    rssMiB: Math.max(...of.map(({ rssMiB }) => rssMiB)),
    rssAloneMiB: Math.round(rssAloneMiB),
    rssRatio: Math.max(...of.map(({ rssRatio }) => rssRatio)),
    lost: [...alone, ...beside.map(({ observed }) => observed)].reduce((sum, { lost }) => sum + lost, 0),
    verifiedAlone: Math.round(verifiedAlone),
    phases: Object.fromEntries(shares)
  }
}

const leastShare = 0.95
const mostMemory = 1.3

const tableOf = (summary: HostileSummary): Table => ({
  title: `Of honest peers, alone: ${summary.verifiedAlone} combinations verified, ${summary.rssAloneMiB} MiB at most`,
  columns: ["beside", "verified", "share", `≥ ${leastShare}`, "MiB", "ratio", `≤ ${mostMemory}`, "lost", "none"],
  rows: Object.entries(summary.phases).map(([name, share]) => [
    name,
    share.verified,
    share.honestShare,
    share.honestShare >= leastShare,
    share.rssMiB,
    share.rssRatio,
    share.rssRatio <= mostMemory,
    share.lost,
    share.lost === 0
  ]),
  summary
})
