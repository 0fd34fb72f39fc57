import { Option } from "effect"
import type { CoverageCounts } from "../../domain/probe/Coverage.ts"
import type { FindingCounts } from "../../domain/peer/Finding.ts"
import { addFindings } from "../../domain/peer/Finding.ts"
import type { Outcome, Probe } from "../../domain/probe/Job.ts"
import { blameOf, countOutcomes, noOutcomes, type OutcomeCounts } from "../../domain/probe/Outcome.ts"
import { type ConversationCounts, noConversations } from "../../domain/peer/Verdict.ts"
import type { Conversation } from "../../domain/peer/Verdict.ts"
import { PeerRecord } from "./HistoryRecord.ts"

/** What one record adds to what is known of its peer. */
export interface PeerChange {
  readonly peerId: string
  readonly agent: Option.Option<string>
  readonly address: Option.Option<string>
  /** Unix milliseconds at which the peer was there; none if this does not show that it was. */
  readonly seenAt: Option.Option<number>
  readonly probes: number
  readonly lastProbeAt: Option.Option<number>
  readonly outcomes: OutcomeCounts
  readonly conversations: ConversationCounts
  readonly findings: FindingCounts
  readonly failure: Option.Option<Failure>
  readonly coverage: Option.Option<CoverageCounts>
  readonly recovered: number
  /** Unix milliseconds; none if nothing is blamed on the peer. */
  readonly blamedAt: Option.Option<number>
}

export interface Failure {
  readonly sentence: string
  /** Whether it is the peer's doing. A blamed failure is shown until the next blamed one. */
  readonly blamed: boolean
}

export const changeOf: (record: PeerRecord) => PeerChange = PeerRecord.$match({
  Probe: ({ conversation, coverage, probe }) => ({
    ...noChange(probe.job.peerId),
    seenAt: seenBy(conversation, probe.finishedAt),
    probes: 1,
    lastProbeAt: Option.some(probe.finishedAt),
    outcomes: countOutcomes(probe.outcomes),
    conversations: one(conversation),
    findings: addFindings({}, probe.findings),
    failure: failureOf(probe),
    coverage,
    recovered: probe.recovered,
    blamedAt: probe.outcomes.some(({ outcome }) => blameOf[outcome] === "peer")
      ? Option.some(probe.finishedAt)
      : Option.none()
  }),
  Conversation: ({ at, conversation, failure, peerId }) => ({
    ...noChange(peerId),
    seenAt: seenBy(conversation, at),
    conversations: one(conversation),
    failure: Option.some({ sentence: failure, blamed: false })
  }),
  Claim: ({ claim, peerId }) => ({ ...noChange(peerId), seenAt: Option.some(claim.observedAt) }),
  Findings: ({ findings, peerId }) => ({ ...noChange(peerId), findings }),
  Standing: ({ peerId }) => noChange(peerId),
  Peer: ({ address, agent, at, peerId }) => ({ ...noChange(peerId), agent, address, seenAt: Option.some(at) })
})

/** The failure to show after `next`, if `last` was shown before. */
export const newestFailure = (last: Option.Option<Failure>, next: Option.Option<Failure>): Option.Option<Failure> =>
  Option.exists(next, (failure) => failure.blamed || !Option.exists(last, ({ blamed }) => blamed)) ? next : last

const noChange = (peerId: string): PeerChange => ({
  peerId,
  agent: Option.none(),
  address: Option.none(),
  seenAt: Option.none(),
  probes: 0,
  lastProbeAt: Option.none(),
  outcomes: noOutcomes,
  conversations: noConversations,
  findings: {},
  failure: Option.none(),
  coverage: Option.none(),
  recovered: 0,
  blamedAt: Option.none()
})

/** Whoever does not answer need not be there. */
const seenBy = (conversation: Conversation, at: number): Option.Option<number> =>
  conversation === "unanswered" ? Option.none() : Option.some(at)

const one = (conversation: Conversation): ConversationCounts => ({ ...noConversations, [conversation]: 1 })

const failureOf = (probe: Probe): Option.Option<Failure> => {
  const first = (blamed: boolean): Option.Option<Failure> => {
    const found = probe.outcomes.find(
      (outcome) => isFailure(outcome) && (blameOf[outcome.outcome] === "peer") === blamed
    )
    return Option.map(Option.fromNullable(found?.reason), (sentence) => ({ sentence, blamed }))
  }
  return Option.orElse(first(true), () => first(false))
}

const isFailure = ({ outcome, reason }: Outcome): boolean => outcome !== "success" && reason !== undefined
