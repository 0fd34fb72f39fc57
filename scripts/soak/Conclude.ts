import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import { addOutcomes, blameOf, noOutcomes, outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import type { ComplianceRow } from "../../src/domain/report/Question.ts"
import { isHonest, isStrict, type ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import type { Disturbances } from "./Disturb.ts"
import { type Sample, type Trend, trendsOf } from "./Flat.ts"
import { fateOf, mayBeEvasive } from "./Judge.ts"
import type { Story } from "./Story.ts"

/** All that is known when it is over. */
export interface Account {
  readonly minutes: number
  readonly seed: number
  /** By peer id. */
  readonly profiles: ReadonlyMap<string, ProfileName>
  /** Of both runs of the monitor. */
  readonly story: Story
  /** The history, by peer. */
  readonly rows: ReadonlyArray<ComplianceRow>
  /** Those of the devnet, as they stand in the end. */
  readonly peers: ReadonlyArray<PeerView>
  readonly defects: number
  readonly disturbances: Disturbances
  /** Who came beside them: identities, and sockets that said nothing. */
  readonly crowd: Readonly<Record<string, number>>
  /** Every two seconds; empty where the system does not tell. */
  readonly samples: ReadonlyArray<Sample>
  /** Those of the second run. */
  readonly last: ReadonlyArray<Sample>
  /** Whether the files have a size that they cannot exceed. */
  readonly bounded: boolean
  /** Of the monitor when it was told to stop. */
  readonly exitCode: number | null
  /** All that the monitor printed. */
  readonly output: string
}

export interface Result {
  /** Sentences; empty when all is well. */
  readonly problems: ReadonlyArray<string>
  /** For a person: what the monitor took of the machine. */
  readonly table: ReadonlyArray<string>
  /** For a machine. */
  readonly numbers: Readonly<Record<string, unknown>>
}

/**
 * The monitor may have so much memory. Node, libp2p and the SSZ types take some 200 MiB, and each of two verifier threads
 * 100 MiB with its KZG setup; the event stream keeps 32 MiB, the cache of the history and the chain less than that; half
 * as much again is what lies about before it is collected. What keeps 30 KiB of each probe is beyond it in 20 minutes.
 */
const rssLimitMiB = 900

/** Whether nothing is left to be found out about a peer: who lies is found, of who is honest something was verified. */
export const isSettled = (peer: PeerView, profiles: ReadonlyMap<string, ProfileName>): boolean =>
  !isHidden(peer, profiles) && !isUntested(peer, profiles)

const isHidden = ({ peerId, verdict }: PeerView, profiles: ReadonlyMap<string, ProfileName>): boolean => {
  const profile = profiles.get(peerId)
  return profile !== undefined && fateOf(profile) === "found" && verdict !== "violating" && verdict !== "evasive"
}

const isUntested = ({ outcomes, peerId }: PeerView, profiles: ReadonlyMap<string, ProfileName>): boolean => {
  const profile = profiles.get(peerId)
  // Those that throw guests out are another soak's: here the monitor asks faster than they allow.
  return profile !== undefined && isHonest(profile) && !isStrict(profile) && outcomes.success === 0
}

export const conclude = (account: Account): Result => {
  const { peers, profiles, rows, story } = account
  const problems: Array<string> = []
  const nameOf = (peerId: string): string => `${profiles.get(peerId) ?? "unknown"} (${peerId})`
  const isBlameless = (peerId: string): boolean => {
    const profile = profiles.get(peerId)
    return profile !== undefined && fateOf(profile) === "blameless"
  }

  const { accusations } = story
  const falseAccusations = accusations.filter(({ peerId }) => isBlameless(peerId))
  for (const { column, outcome, peerId, reason, slot } of falseAccusations.slice(0, 10)) {
    problems.push(`${nameOf(peerId)} was accused: ${outcome} of column ${column} of slot ${slot}: ${reason}`)
  }
  for (const { group, outcomes } of rows) {
    if (typeof group !== "string") continue
    const blamed = outcomeKinds.filter((kind) => blameOf[kind] === "peer" && outcomes[kind] > 0)
    if (isBlameless(group) && blamed.length > 0) problems.push(`${nameOf(group)} is on record as ${blamed.join(", ")}`)
  }
  for (const { peerId, verdict } of story.verdicts) {
    const profile = profiles.get(peerId)
    const isWrong =
      isBlameless(peerId) &&
      (verdict === "violating" || (verdict === "evasive" && profile !== undefined && !mayBeEvasive(profile)))
    if (isWrong) problems.push(`${nameOf(peerId)} was called ${verdict}`)
  }

  const hidden = peers.filter((peer) => isHidden(peer, profiles))
  for (const { peerId, verdict } of hidden) problems.push(`${nameOf(peerId)} lies, and is ${verdict}`)
  const names = [...profiles.values()]
  const untested = peers.filter((peer) => isUntested(peer, profiles))
  for (const { peerId } of untested) problems.push(`${nameOf(peerId)} is honest, and nothing of it was verified`)
  if (peers.length !== profiles.size) problems.push(`${peers.length} of ${profiles.size} peers are known in the end`)

  if (account.defects > 0) problems.push(`/status counts ${account.defects} defects`)
  const traces = account.output.split("\n").filter((line) => /^\s+at \S+ \(|\bdefect\b|Unhandled/i.test(line))
  for (const line of traces.slice(0, 5)) problems.push(`the monitor printed ${JSON.stringify(line)}`)
  const rssMiB = account.samples.map(({ values }) => values.rssMiB)
  const most = rssMiB.reduce((most, now) => Math.max(most, now), 0)
  if (most > rssLimitMiB) problems.push(`the monitor had ${most} MiB, and ${rssLimitMiB} are enough`)
  if (story.lost > 0) problems.push(`${story.lost} events are not in the log`)
  const trends = trendsOf(account.last, account.bounded)
  for (const { isFlat, limit, measured, perHour } of trends) {
    if (!isFlat) problems.push(`${measured} grows by ${rounded(perHour)} in an hour, and ${rounded(limit)} are allowed`)
  }

  const liars = names.filter((profile) => fateOf(profile) === "found").length
  return {
    problems,
    table: tableOf(trends),
    numbers: {
      minutes: account.minutes,
      seed: account.seed,
      peers: profiles.size,
      probes: story.probes,
      lost: story.lost,
      outcomes: rows.reduce((sum, { outcomes }) => addOutcomes(sum, outcomes), noOutcomes),
      ...account.disturbances,
      ...account.crowd,
      kills: 1,
      accusations: accusations.length,
      falseAccusations: falseAccusations.length,
      liars,
      found: liars - hidden.length,
      defects: account.defects,
      exitCode: account.exitCode,
      rssMiB: { last: rssMiB.at(-1) ?? 0, most, limit: rssLimitMiB },
      flat: Object.fromEntries(
        trends.map(({ isFlat, limit, measured, median, most, perHour }) => [
          measured,
          { median: rounded(median), most: rounded(most), perHour: rounded(perHour), limit: rounded(limit), isFlat }
        ])
      ),
      problems
    }
  }
}

/** `null` for what could not be told. */
const rounded = (value: number | undefined): number | null => (value === undefined ? null : Number(value.toFixed(2)))

const tableOf = (trends: ReadonlyArray<Trend>): ReadonlyArray<string> => {
  const row = (cells: ReadonlyArray<string>): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(12) : cell.padStart(10))).join(" ")
  return [
    row(["", "median", "most", "per hour", "allowed", "flat"]),
    ...trends.map(({ isFlat, limit, measured, median, most, perHour }) =>
      row([
        measured,
        String(rounded(median)),
        String(rounded(most)),
        perHour === undefined ? "–" : String(rounded(perHour)),
        String(rounded(limit)),
        perHour === undefined ? "too short" : isFlat ? "yes" : "NO"
      ])
    )
  ]
}
