import { Array as Arr, Option } from "effect"
import { toHex } from "../domain/Bytes.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import type { PeerCoverage } from "../domain/probe/Confidence.ts"
import { addFindings, type Finding, type FindingCounts } from "../domain/peer/Finding.ts"
import type { Probe } from "../domain/probe/Job.ts"
import {
  addOutcomes,
  type Blame,
  blameOf,
  countOutcomes,
  noOutcomes,
  type OutcomeCounts
} from "../domain/probe/Outcome.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import {
  addConversation,
  type Conversation,
  type ConversationCounts,
  noConversations,
  type Verdict,
  verdictOf
} from "../domain/peer/Verdict.ts"
import type { ConnectedPeer } from "../host/Host.ts"

/** Everything that the monitor holds of one peer; its actor alone changes it. */
export interface PeerState {
  readonly address: PeerAddress
  /** 32 bytes; none if the peer id does not hold the key. */
  readonly nodeId: Option.Option<Uint8Array>
  readonly agent: Option.Option<string>
  readonly remoteAddress: Option.Option<string>
  readonly connected: boolean
  readonly claims: Option.Option<ClaimHistory>
  readonly outcomes: OutcomeCounts
  /** The recent ones; see `addConversation`. */
  readonly conversations: ConversationCounts
  readonly findings: FindingCounts
  /** How much of what it owes was tested, as of the last probe. */
  readonly coverage: Option.Option<PeerCoverage>
  /** Unix milliseconds. */
  readonly lastProbeAt: Option.Option<number>
  readonly lastFailure: Option.Option<string>
}

/** A peer that was never spoken to. */
export const newPeer = (address: PeerAddress): PeerState => ({
  address,
  nodeId: Option.getRight(nodeIdOfPeerId(address.peerId)),
  agent: Option.none(),
  remoteAddress: Option.none(),
  connected: false,
  claims: Option.none(),
  outcomes: noOutcomes,
  conversations: noConversations,
  findings: {},
  coverage: Option.none(),
  lastProbeAt: Option.none(),
  lastFailure: Option.none()
})

export const verdict = (state: PeerState): Verdict => verdictOf(state.outcomes, state.conversations)

/** `state` after one more conversation; `failure` is the sentence that says why it failed. */
export const withConversation = (
  state: PeerState,
  conversation: Conversation,
  failure: Option.Option<string>
): PeerState => ({
  ...state,
  conversations: addConversation(state.conversations, conversation),
  lastFailure: Option.orElse(failure, () => state.lastFailure)
})

/** `state` with a connection up. */
export const withConnection = (state: PeerState, peer: ConnectedPeer): PeerState => ({
  ...state,
  connected: true,
  agent: Option.orElse(peer.agent, () => state.agent),
  remoteAddress: Option.some(peer.address)
})

/**
 * `state` with what was heard of the peer last: addresses take the place of those before, a custody group count that is
 * not told leaves the one before. The same state if that is nothing new.
 */
export const withAddress = (state: PeerState, heard: PeerAddress): PeerState => {
  const { address } = state
  const multiaddrs = heard.multiaddrs.length === 0 ? address.multiaddrs : heard.multiaddrs
  const enrCustodyGroupCount = Option.orElse(heard.enrCustodyGroupCount, () => address.enrCustodyGroupCount)
  const isSame =
    Option.getOrNull(enrCustodyGroupCount) === Option.getOrNull(address.enrCustodyGroupCount) &&
    multiaddrs.length === address.multiaddrs.length &&
    multiaddrs.every((multiaddr, index) => multiaddr === address.multiaddrs[index])
  return isSame ? state : { ...state, address: { ...address, multiaddrs, enrCustodyGroupCount } }
}

export const withFindings = (state: PeerState, findings: ReadonlyArray<Finding>): PeerState => ({
  ...state,
  findings: addFindings(state.findings, findings)
})

/** `state` after a probe, and how the probe went as a conversation. */
export const withProbe = (state: PeerState, probe: Probe, conversation: Conversation): PeerState => ({
  ...withFindings(withConversation(state, conversation, Option.none()), probe.findings),
  outcomes: addOutcomes(state.outcomes, countOutcomes(probe.outcomes)),
  lastProbeAt: Option.some(probe.finishedAt),
  lastFailure: failureOf(probe, "peer").pipe(
    Option.orElse(() => (verdict(state) === "violating" ? Option.none() : failureOf(probe))),
    Option.orElse(() => state.lastFailure)
  )
})

/** The first thing that went wrong in a probe: of any kind, or only what is blamed on `blame`. */
const failureOf = (probe: Probe, blame?: Blame): Option.Option<string> =>
  Option.flatMapNullable(
    Arr.findFirst(
      probe.outcomes,
      ({ outcome }) => outcome !== "success" && (blame ?? blameOf[outcome]) === blameOf[outcome]
    ),
    ({ reason }) => reason
  )

/** Where the peer was reached, or else where it can be dialled. */
export const reachedAt = ({ address, remoteAddress }: PeerState): Option.Option<string> =>
  Option.orElse(remoteAddress, () => Arr.head(address.multiaddrs))

/** The peer as it is shown. */
export const viewOf = (state: PeerState): PeerView => {
  const claim = Option.getOrUndefined(state.claims)?.current
  return {
    peerId: state.address.peerId,
    nodeId: Option.getOrNull(Option.map(state.nodeId, toHex)),
    agent: Option.getOrNull(state.agent),
    address: Option.getOrNull(reachedAt(state)),
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
    lastProbeAt: Option.getOrNull(state.lastProbeAt),
    lastFailure: verdict(state) === "compliant" ? null : Option.getOrNull(state.lastFailure)
  }
}
