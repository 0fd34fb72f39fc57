import { Duration, Effect } from "effect"
import { type Bench, quantile, rounded, type Table } from "../Bench.ts"
import { medianDraws } from "../Detection.ts"
import { confirmAfter, testInterval } from "./Defaults.ts"
import { type FleetOptions, runFleet } from "./Fleet.ts"
import { fleetsOf } from "./Fleets.ts"
import { foundAt, type Observed } from "./Observer.ts"

/**
 * Whether anyone is accused who is honest, and whether anyone gets away who is not: fleets of simulated peers, over the
 * real supervisor, sampler, prober, judge and chain, in virtual time.
 *
 * A liar counts as caught when it is called `violating` or `evasive` in time. The time: of one that answers the second
 * question, 1.1 times the moment at which it can be accused for the first time (its first conversation in which anything
 * is left out, `confirm_after` later, and that slot final) and six turns, for the questions that are due take turns with
 * others. Of one that escapes the second question, 24 times `confirm_after` from its first conversation: six escapes at
 * least, one in each `confirm_after`, and pauses that grow with each vain question.
 */
export const truth: Bench = {
  name: "truth",
  description: "honest but messy peers that are accused, and liars that are not, in fleets of simulated peers",
  run: ({ quick }) =>
    Effect.gen(function* () {
      const rows: Array<Table["rows"][number]> = []
      const everyone: Array<Observed> = []
      for (const fleet of fleetsOf(quick)) {
        const observed = yield* runFleet(fleet)
        everyone.push(...observed)
        rows.push(rowOf(fleet, observed))
      }
      const summary = summaryOf(everyone)
      return [
        {
          title: "Fleets",
          columns: [
            "seed",
            "hours",
            "retention epochs",
            "peers",
            "combinations",
            "falsely accused",
            "caught",
            "of liars",
            "met"
          ],
          rows
        },
        {
          title:
            "Liars: minutes until the first conversation that leaves anything out, until it can be accused, until it is",
          columns: ["liar", "client", "requests", "hit", "can be accused", "limit", "found", "as", "met"],
          rows: everyone.filter(({ member }) => member.kind === "liar").map(liarRow)
        },
        {
          title: "Honest peers that were accused, or called evasive",
          columns: ["trouble", "client", "peer", "called", "of what"],
          rows: everyone.filter(isWronged).map(wrongedRow)
        },
        {
          title: "All together",
          columns: ["", "is"],
          rows: Object.entries(summary),
          summary
        }
      ]
    })
}

export interface TruthSummary {
  readonly combinations: number
  readonly falseAccusations: number
  readonly falseEvasive: number
  readonly liars: number
  readonly caught: number
  /** Liars that were not called so in time. */
  readonly escaped: number
  readonly detectionRatio: number
}

export const summaryOf = (observed: ReadonlyArray<Observed>): TruthSummary => {
  const liars = observed.filter(({ member }) => member.kind === "liar")
  const caught = liars.filter(isCaught).length
  return {
    combinations: observed.reduce((sum, { combinations }) => sum + combinations, 0),
    falseAccusations: observed.filter(isFalselyAccused).length,
    falseEvasive: observed.filter(({ member, verdicts }) => member.kind === "honest" && verdicts.has("evasive")).length,
    liars: liars.length,
    caught,
    escaped: liars.length - caught,
    detectionRatio: rounded(quantile(liars.flatMap(detectionRatio), 0.5))
  }
}

const isFalselyAccused = ({ accused, member, verdicts }: Observed): boolean =>
  member.kind !== "liar" && (accused > 0 || verdicts.has("violating"))

const isWronged = (peer: Observed): boolean =>
  isFalselyAccused(peer) || (peer.member.kind === "honest" && peer.verdicts.has("evasive"))

/** Milliseconds since the start by which a liar has to be found out. */
const limitOf = ({ canBeAccusedFrom, firstHit, member }: Observed): number =>
  member.liar?.escapes === true
    ? (firstHit?.at ?? Infinity) + 24 * Duration.toMillis(confirmAfter)
    : 1.1 * canBeAccusedFrom + 6 * Duration.toMillis(testInterval)

const isCaught = (peer: Observed): boolean => (foundAt(peer) ?? Infinity) <= limitOf(peer)

/**
 * Requests until the first conversation that leaves anything out, over the least number with which half of all such
 * peers can be found, drawing without replacement.
 */
const detectionRatio = ({ firstHit, member, owed }: Observed): ReadonlyArray<number> => {
  const withholds = member.liar?.withholds
  if (withholds === undefined || firstHit === undefined || owed === undefined) return []
  const { columns, combinations } = owed
  const perRequest = firstHit.combinations / firstHit.samples
  const sizes = {
    combinations: { all: combinations, each: perRequest },
    slots: { all: combinations / columns, each: perRequest / columns },
    columns: { all: columns, each: columns }
  }
  const { all, each } = sizes[withholds.unit]
  const broken = Math.max(1, Math.round(withholds.fraction * all))
  return [firstHit.samples / Math.ceil(medianDraws(Math.round(all), broken) / each)]
}

const minutes = (ms: number | undefined): string =>
  ms === undefined || ms === Infinity ? "–" : rounded(ms / 60_000, 1).toString()

const rowOf = (fleet: FleetOptions, observed: ReadonlyArray<Observed>): Table["rows"][number] => {
  const { caught, combinations, falseAccusations, liars } = summaryOf(observed)
  return [
    fleet.seed,
    fleet.hours,
    fleet.retentionEpochs,
    observed.length,
    combinations,
    falseAccusations,
    caught,
    liars,
    falseAccusations === 0 && caught === liars
  ]
}

const liarRow = (peer: Observed): Table["rows"][number] => [
  peer.member.liar?.name ?? "",
  peer.agent,
  peer.firstHit?.samples ?? "–",
  minutes(peer.firstHit?.at),
  minutes(peer.canBeAccusedFrom),
  minutes(limitOf(peer)),
  minutes(foundAt(peer)),
  peer.verdicts.has("violating") ? "violating" : peer.verdicts.has("evasive") ? "evasive" : peer.verdict,
  isCaught(peer)
]

const wrongedRow = (peer: Observed): Table["rows"][number] => [
  peer.conducts.join(", "),
  peer.agent,
  peer.peerId,
  [...peer.verdicts.keys()].join(", "),
  peer.firstAccused === undefined
    ? ""
    : `${minutes(peer.firstAccused.at)} min: ${peer.firstAccused.outcome} column ${peer.firstAccused.column} of slot ${peer.firstAccused.slot}: ${peer.firstAccused.reason ?? ""}`
]
