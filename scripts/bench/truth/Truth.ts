import { Duration, Effect } from "effect"
import { type Bench, rounded, type Table } from "../Bench.ts"
import { confirmAfter } from "./Defaults.ts"
import { type Drawn, drawnOf } from "./Draws.ts"
import { type FleetOptions, runFleet } from "./Fleet.ts"
import { fleetsOf } from "./Fleets.ts"
import { plainLiars } from "./Liars.ts"
import { foundAt, type Observed } from "./Observer.ts"

/**
 * Whether anyone is accused who is honest, and whether anyone gets away who is not: fleets of simulated peers, over the
 * real supervisor, sampler, prober, judge and chain, in virtual time.
 *
 * How soon something that is withheld is met is measured apart (`Draws`), over many peers and the sampler alone:
 * `detectionRatio` is the largest of the medians over their bounds. In a fleet a liar counts as caught when it is called
 * `violating` or `evasive` in time: of one that answers the second question, six turns after the moment at which it can
 * be accused for the first time (`confirm_after` after the first conversation in which anything is left out, and that slot
 * final), for the questions that are due take turns with others. Of one that escapes the second question, so many
 * `confirm_after` later as escapes are needed. One that had not so much time before the end is not judged; one that
 * was never met got away.
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
      const drawing = quick ? 501 : 2_001
      const draws: Array<Drawn> = []
      for (const withholds of plainLiars.flatMap(({ withholds }) => withholds ?? [])) {
        for (const slots of [2_048, 16_384]) draws.push(yield* drawnOf(withholds, slots, drawing))
      }
      const summary = {
        ...summaryOf(everyone),
        detectionRatio: Math.max(...draws.map(({ ratio }) => ratio))
      }
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
          title: `Requests until one meets what is withheld: the sampler alone, median of ${drawing} peers with 4 columns`,
          columns: ["withheld", "slots", "of", "are withheld", "requests", "bound", "ratio", "met"],
          rows: draws.map(drawnRow)
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
}

export const summaryOf = (observed: ReadonlyArray<Observed>): TruthSummary => {
  const liars = observed.filter(isJudged)
  const caught = liars.filter(isCaught).length
  return {
    combinations: observed.reduce((sum, { combinations }) => sum + combinations, 0),
    falseAccusations: observed.filter(isFalselyAccused).length,
    falseEvasive: observed.filter(({ member, verdicts }) => member.kind === "honest" && verdicts.has("evasive")).length,
    liars: liars.length,
    caught,
    escaped: liars.length - caught
  }
}

const isFalselyAccused = ({ accused, member, verdicts }: Observed): boolean =>
  member.kind !== "liar" && (accused > 0 || verdicts.has("violating"))

const isWronged = (peer: Observed): boolean =>
  isFalselyAccused(peer) || (peer.member.kind === "honest" && peer.verdicts.has("evasive"))

/** Milliseconds since the start by which a liar has to be found out. */
const limitOf = ({ canBeAccusedFrom, member, turnMs }: Observed): number =>
  canBeAccusedFrom + 6 * turnMs + (member.liar?.escapes === true ? escapesNeeded * Duration.toMillis(confirmAfter) : 0)

/** Escapes, one in each `confirm_after`, that an honest peer with as little trouble as a liar that answers cannot have had by chance. */
const escapesNeeded = 10

const isCaught = (peer: Observed): boolean => {
  const at = foundAt(peer)
  return at !== undefined && at <= limitOf(peer)
}

/** Whether there was time enough to find this liar out. */
const isJudged = (peer: Observed): boolean =>
  peer.member.kind === "liar" &&
  (foundAt(peer) !== undefined || peer.firstHit === undefined || limitOf(peer) <= peer.watchedMs)

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
  isJudged(peer) ? isCaught(peer) : "not judged"
]

const drawnRow = ({ least, ratio, requests, slots, units, withheld, withholds }: Drawn): Table["rows"][number] => [
  `${withholds.unit} ${withholds.fraction}`,
  slots,
  units,
  withheld,
  requests,
  least,
  ratio,
  ratio <= 1.1
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
