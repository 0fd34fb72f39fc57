import { Option } from "effect"
import { toHex } from "../domain/Bytes.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import type { PeerCoverage } from "../domain/probe/Confidence.ts"
import { addFindings, type Finding, type FindingCounts } from "../domain/peer/Finding.ts"
import type { Probe } from "../domain/probe/Job.ts"
import { addOutcomes, type Blame, blameOf, countOutcomes, type OutcomeCounts } from "../domain/probe/Outcome.ts"
import type { PeerAddress, PeerView } from "../domain/peer/Peer.ts"
import { addConversation, type ConversationCounts, type Verdict, verdictOf } from "../domain/peer/Verdict.ts"
import type { ConnectedPeer } from "../host/Host.ts"

/** Everything that the monitor holds of one peer; its actor alone changes it. */
export interface PeerState {
  readonly address: PeerAddress
  /** 32 bytes; none if the peer id does not hold the key. */
  readonly nodeId: Option.Option<Uint8Array>
  readonly agent: string | null
  readonly remoteAddress: string | null
  readonly connected: boolean
  readonly claims: Option.Option<ClaimHistory>
  readonly outcomes: OutcomeCounts
  /** The recent ones; see `addConversation`. */
  readonly conversations: ConversationCounts
  readonly findings: FindingCounts
  /** How much of what it owes was tested, as of the last probe. */
  readonly coverage: Option.Option<PeerCoverage>
  /** Unix milliseconds. */
  readonly lastProbeAt: number | null
  readonly lastFailure: string | null
}

export const verdict = (state: PeerState): Verdict => verdictOf(state.outcomes, state.conversations)

/** `state` after one more conversation; `failure` is the sentence that says why it failed. */
export const withConversation = (
  state: PeerState,
  conversation: keyof ConversationCounts,
  failure: string | null
): PeerState => ({
  ...state,
  conversations: addConversation(state.conversations, conversation),
  lastFailure: failure ?? state.lastFailure
})

/** `state` with a connection up. */
export const withConnection = (state: PeerState, peer: ConnectedPeer): PeerState => ({
  ...state,
  connected: true,
  agent: peer.agent ?? state.agent,
  remoteAddress: peer.address
})

export const withFindings = (state: PeerState, findings: ReadonlyArray<Finding>): PeerState => ({
  ...state,
  findings: addFindings(state.findings, findings)
})

/** `state` after a probe, and how the probe went as a conversation. */
export const withProbe = (state: PeerState, probe: Probe, conversation: keyof ConversationCounts): PeerState => ({
  ...withFindings(withConversation(state, conversation, null), probe.findings),
  outcomes: addOutcomes(state.outcomes, countOutcomes(probe.outcomes)),
  lastProbeAt: probe.finishedAt,
  lastFailure:
    failureOf(probe, "peer") ?? (verdict(state) === "violating" ? null : failureOf(probe)) ?? state.lastFailure
})

/** The first thing that went wrong in a probe: of any kind, or only what is blamed on `blame`. */
const failureOf = (probe: Probe, blame?: Blame): string | null =>
  probe.outcomes.find(({ outcome }) => outcome !== "success" && (blame ?? blameOf[outcome]) === blameOf[outcome])
    ?.reason ?? null

/** Where the peer was reached, or else where it can be dialled. */
export const placeOf = ({ address, remoteAddress }: PeerState): string | null =>
  remoteAddress ?? address.multiaddrs[0] ?? null

/** The peer as it is shown. */
export const viewOf = (state: PeerState): PeerView => {
  const claim = Option.getOrUndefined(state.claims)?.current
  return {
    peerId: state.address.peerId,
    nodeId: Option.getOrNull(Option.map(state.nodeId, toHex)),
    agent: state.agent,
    address: placeOf(state),
    connected: state.connected,
    custody:
      claim === undefined
        ? null
        : {
            groupCount: claim.custodyGroupCount,
            columns: claim.columns,
            earliestAvailableSlot: claim.earliestAvailableSlot,
            source: claim.source
          },
    headSlot: claim?.headSlot ?? null,
    outcomes: state.outcomes,
    findings: state.findings,
    verdict: verdict(state),
    coverage: Option.getOrNull(state.coverage),
    lastProbeAt: state.lastProbeAt,
    lastFailure: verdict(state) === "compliant" ? null : state.lastFailure
  }
}
