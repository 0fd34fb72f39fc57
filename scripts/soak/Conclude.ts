import type { Event } from "../../src/domain/Event.ts"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import { addOutcomes, blameOf, noOutcomes, outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import type { ComplianceRow } from "../../src/domain/report/Question.ts"
import { isHonest, type ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import type { Disturbances } from "./Disturb.ts"
import { accusationsIn, fateOf, mayBeEvasive } from "./Judge.ts"

/** All that is known when it is over. */
export interface Account {
  readonly minutes: number
  readonly seed: number
  /** By peer id. */
  readonly profiles: ReadonlyMap<string, ProfileName>
  /** Of both runs of the monitor. */
  readonly events: ReadonlyArray<Event>
  /** The history, by peer. */
  readonly rows: ReadonlyArray<ComplianceRow>
  /** As they stand in the end. */
  readonly peers: ReadonlyArray<PeerView>
  readonly defects: number
  readonly disturbances: Disturbances
  /** Every two seconds; empty where the system does not tell. */
  readonly rssMiB: ReadonlyArray<number>
  /** Of the monitor when it was told to stop. */
  readonly exitCode: number | null
  /** All that the monitor printed. */
  readonly output: string
}

export interface Result {
  /** Sentences; empty when all is well. */
  readonly problems: ReadonlyArray<string>
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
  return profile !== undefined && isHonest(profile) && outcomes.success === 0
}

export const conclude = (account: Account): Result => {
  const { events, peers, profiles, rows, rssMiB } = account
  const problems: Array<string> = []
  const nameOf = (peerId: string): string => `${profiles.get(peerId) ?? "unknown"} (${peerId})`
  const isBlameless = (peerId: string): boolean => {
    const profile = profiles.get(peerId)
    return profile !== undefined && fateOf(profile) === "blameless"
  }

  const accusations = accusationsIn(events)
  const falseAccusations = accusations.filter(({ peerId }) => isBlameless(peerId))
  for (const { column, outcome, peerId, reason, slot } of falseAccusations.slice(0, 10)) {
    problems.push(`${nameOf(peerId)} was accused: ${outcome} of column ${column} of slot ${slot}: ${reason}`)
  }
  for (const { group, outcomes } of rows) {
    if (typeof group !== "string") continue
    const blamed = outcomeKinds.filter((kind) => blameOf[kind] === "peer" && outcomes[kind] > 0)
    if (isBlameless(group) && blamed.length > 0) problems.push(`${nameOf(group)} is on record as ${blamed.join(", ")}`)
  }
  const wronged = new Set<string>()
  for (const event of events) {
    if (event._tag !== "NodeTracking") continue
    const { peerId, verdict } = event.peer
    const profile = profiles.get(peerId)
    const isWrong =
      isBlameless(peerId) &&
      (verdict === "violating" || (verdict === "evasive" && profile !== undefined && !mayBeEvasive(profile)))
    if (isWrong && !wronged.has(`${peerId} ${verdict}`)) problems.push(`${nameOf(peerId)} was called ${verdict}`)
    if (isWrong) wronged.add(`${peerId} ${verdict}`)
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
  const most = Math.max(0, ...rssMiB)
  if (most > rssLimitMiB) problems.push(`the monitor had ${most} MiB, and ${rssLimitMiB} are enough`)

  const probes = events.filter(({ _tag }) => _tag === "Sampling").length
  const liars = names.filter((profile) => fateOf(profile) === "found").length
  return {
    problems,
    numbers: {
      minutes: account.minutes,
      seed: account.seed,
      peers: profiles.size,
      probes,
      outcomes: rows.reduce((sum, { outcomes }) => addOutcomes(sum, outcomes), noOutcomes),
      ...account.disturbances,
      kills: 1,
      accusations: accusations.length,
      falseAccusations: falseAccusations.length,
      liars,
      found: liars - hidden.length,
      defects: account.defects,
      exitCode: account.exitCode,
      rssMiB: { last: rssMiB.at(-1) ?? 0, most, limit: rssLimitMiB },
      problems
    }
  }
}
