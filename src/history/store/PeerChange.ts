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
  readonly agent: string | null
  readonly address: string | null
  /** Unix milliseconds at which the peer was there; `null` if this does not show that it was. */
  readonly seenAt: number | null
  readonly probes: number
  readonly lastProbeAt: number | null
  readonly outcomes: OutcomeCounts
  readonly conversations: ConversationCounts
  readonly findings: FindingCounts
  readonly failure: Failure | null
  readonly coverage: CoverageCounts | null
}

export interface Failure {
  readonly sentence: string
  /** Whether it is the peer's doing. A blamed failure is shown until the next blamed one. */
  readonly blamed: boolean
}

export const changeOf: (record: PeerRecord) => PeerChange = PeerRecord.$match({
  Probe: ({ conversation, coverage, probe }) => ({
    ...noChange(probe.job.peerId),
    seenAt: conversation === "unanswered" ? null : probe.finishedAt,
    probes: 1,
    lastProbeAt: probe.finishedAt,
    outcomes: countOutcomes(probe.outcomes),
    conversations: one(conversation),
    findings: addFindings({}, probe.findings),
    failure: failureOf(probe),
    coverage
  }),
  Conversation: ({ at, conversation, failure, peerId }) => ({
    ...noChange(peerId),
    seenAt: conversation === "unanswered" ? null : at,
    conversations: one(conversation),
    failure: failure === null ? null : { sentence: failure, blamed: false }
  }),
  Claim: ({ claim, peerId }) => ({ ...noChange(peerId), seenAt: claim.observedAt }),
  Findings: ({ findings, peerId }) => ({ ...noChange(peerId), findings }),
  Peer: ({ address, agent, at, peerId }) => ({ ...noChange(peerId), agent, address, seenAt: at })
})

/** The failure to show after `next`, if `last` was shown before. */
export const newestFailure = (last: Failure | null, next: Failure | null): Failure | null =>
  next === null || (last?.blamed === true && !next.blamed) ? last : next

const noChange = (peerId: string): PeerChange => ({
  peerId,
  agent: null,
  address: null,
  seenAt: null,
  probes: 0,
  lastProbeAt: null,
  outcomes: noOutcomes,
  conversations: noConversations,
  findings: {},
  failure: null,
  coverage: null
})

const one = (conversation: Conversation): ConversationCounts => ({ ...noConversations, [conversation]: 1 })

const failureOf = (probe: Probe): Failure | null => {
  const first = (blamed: boolean): Failure | null => {
    const found = probe.outcomes.find(
      (outcome) => isFailure(outcome) && (blameOf[outcome.outcome] === "peer") === blamed
    )
    return found?.reason === undefined ? null : { sentence: found.reason, blamed }
  }
  return first(true) ?? first(false)
}

const isFailure = ({ outcome, reason }: Outcome): boolean => outcome !== "success" && reason !== undefined
