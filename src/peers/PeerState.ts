import { Array as Arr, Duration, Option } from "effect"
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
  type OutcomeCounts,
  type RequestError
} from "../domain/probe/Outcome.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import {
  type Evasion,
  isEvasive,
  noEvasion,
  withConversation as countOrdinary,
  withDelivery,
  withFollowUp,
  withQuestion
} from "../domain/peer/Evasion.ts"
import { countFailing, type Failing, failingSince, noFailing, withBlame } from "../domain/peer/Failing.ts"
import { countSuspicions, noSuspicions, type Suspicions, withOutcomes } from "../domain/peer/Suspicions.ts"
import { isTooMuch, type Restraint, unrestrained, withRefusal } from "../domain/peer/Restraint.ts"
import { type Experience, neutralScore, type Score, reviewedScore, withExperience } from "../domain/peer/Score.ts"
import { restraintAfter } from "../domain/peer/RestraintAfter.ts"
import type { ProbeResult } from "../probe/Prober.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import { transportOf } from "../domain/peer/Transport.ts"
import {
  addConversation,
  type Conversation,
  type ConversationCounts,
  noConversations,
  type Verdict,
  verdictOf
} from "../domain/peer/Verdict.ts"
import type { Slot } from "../domain/Primitives.ts"
import { noneUnsupported, type Unsupported, withColumns } from "./Unsupported.ts"
import type { ConnectedPeer } from "../host/Host.ts"

/** Everything that the monitor holds of one peer; its actor alone changes it. */
export interface PeerState {
  readonly address: PeerAddress
  /** One of `das_providers`. */
  readonly isProvider: boolean
  /** 32 bytes; none if the peer id does not hold the key. */
  readonly nodeId: Option.Option<Uint8Array>
  readonly agent: Option.Option<string>
  readonly remoteAddress: Option.Option<string>
  readonly connected: boolean
  readonly claims: Option.Option<ClaimHistory>
  /** The columns whose gossip topics it says it is on, ascending; none where it has not said. */
  readonly subscribed: Option.Option<ReadonlyArray<number>>
  readonly outcomes: OutcomeCounts
  /** The recent ones; see `addConversation`. */
  readonly conversations: ConversationCounts
  readonly findings: FindingCounts
  /** What is suspected of it and not settled. */
  readonly suspicions: Suspicions
  readonly evasion: Evasion
  /** What it failed at in the verdict's window and has not delivered since. */
  readonly failing: Failing
  readonly unsupported: Unsupported
  /** How much less it is asked since it said that it was too much. */
  readonly restraint: Restraint
  /** How far it can be relied on. */
  readonly score: Score
  /** Since when it claims no slot that it could be asked for: the head at that moment. */
  readonly atHeadSince: Option.Option<Slot>
  /** Combinations that had failed and were delivered later. */
  readonly recovered: number
  /** How much of what it owes was tested, as of the last probe. */
  readonly coverage: Option.Option<PeerCoverage>
  /** Unix milliseconds. */
  readonly lastProbeAt: Option.Option<number>
  readonly lastFailure: Option.Option<string>
}

/** A peer that was never spoken to. */
export const newPeer = (address: PeerAddress): PeerState => ({
  address,
  isProvider: false,
  nodeId: Option.getRight(nodeIdOfPeerId(address.peerId)),
  agent: Option.none(),
  remoteAddress: Option.none(),
  connected: false,
  claims: Option.none(),
  subscribed: Option.none(),
  outcomes: noOutcomes,
  conversations: noConversations,
  findings: {},
  suspicions: noSuspicions,
  evasion: noEvasion,
  failing: noFailing,
  unsupported: noneUnsupported,
  restraint: unrestrained,
  score: neutralScore,
  atHeadSince: Option.none(),
  recovered: 0,
  coverage: Option.none(),
  lastProbeAt: Option.none(),
  lastFailure: Option.none()
})

export const verdict = (state: PeerState): Verdict =>
  verdictOf({
    hasDelivered: state.outcomes.success > 0,
    failing: countFailing(state.failing),
    isEvasive: isEvasive(state.evasion),
    conversations: state.conversations
  })

/** `state` without what failed before the verdict's window, and with the score of this moment. */
export const reviewed = (state: PeerState, now: number, window: Duration.Duration): PeerState => {
  const failing = failingSince(state.failing, now - Duration.toMillis(window))
  const score = reviewedScore(state.score, now)
  return failing === state.failing && score === state.score ? state : { ...state, failing, score }
}

/** `state` after something else than a probe that its score goes by. */
export const experienced = (state: PeerState, experience: Experience, now: number): PeerState => ({
  ...state,
  score: withExperience(state.score, experience, now)
})

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

/** `state` after a request that came to `error`: the peer is asked less if it said that it was too much. */
export const restrainedBy = (
  state: PeerState,
  error: RequestError,
  testInterval: Duration.Duration,
  at: number
): PeerState => {
  if (!isTooMuch(error, state.outcomes.success > 0)) return state
  const restraint = withRefusal(state.restraint, Duration.toMillis(testInterval), at)
  return restraint === state.restraint ? state : { ...state, restraint }
}

/** `state` after a probe. */
export const withProbe = (
  before: PeerState,
  {
    brought,
    conversation,
    error,
    finalUpTo,
    probe,
    settling
  }: Pick<ProbeResult, "probe" | "brought" | "conversation" | "settling" | "finalUpTo" | "error">,
  { confirmAfter, testInterval }: { readonly confirmAfter: Duration.Duration; readonly testInterval: Duration.Duration }
): PeerState => {
  const isConfirmation = probe.purpose === "confirmation"
  const restraint = restraintAfter(before.restraint, {
    probe,
    error,
    wasAnswered: conversation === "answered",
    escapedByRoot: !isConfirmation && Option.contains(settling, "escaped"),
    hasDelivered: before.outcomes.success > 0,
    testIntervalMs: Duration.toMillis(testInterval)
  })
  const state = restraint === before.restraint ? before : { ...before, restraint }
  const { failing } = withBlame(state.failing, probe.outcomes, probe.finishedAt)
  const heard = { outcomes: probe.outcomes, at: probe.finishedAt, isConfirmation, finalUpTo, confirmAfter }
  const next: PeerState = {
    ...withFindings(withConversation(withColumns(state), conversation, Option.none()), probe.findings),
    outcomes: addOutcomes(state.outcomes, countOutcomes(probe.outcomes)),
    suspicions: withOutcomes(state.suspicions, heard),
    failing,
    recovered: state.recovered + probe.recovered,
    score: withExperience(state.score, experienceOf({ brought, conversation, probe }), probe.finishedAt),
    evasion: isWanted(probe)
      ? state.evasion
      : isConfirmation
        ? withSettling(state.evasion, probe, settling, confirmAfter)
        : withFollowUpOf(countOrdinary(state.evasion, conversation !== "answered"), probe, settling, confirmAfter),
    lastProbeAt: Option.some(probe.finishedAt)
  }
  return {
    ...next,
    lastFailure: failureOf(probe, "peer").pipe(
      Option.orElse(() => (verdict(next) === "violating" ? Option.none() : failureOf(probe))),
      Option.orElse(() => state.lastFailure)
    )
  }
}

const experienceOf = ({
  brought,
  conversation,
  probe: { outcomes, timings }
}: Pick<ProbeResult, "probe" | "brought" | "conversation">): Experience => {
  const absent = Option.match(brought, { onNone: (): ReadonlyArray<number> => [], onSome: ({ absent }) => absent })
  return {
    _tag: "Asked",
    outcomes: countOutcomes(outcomes),
    absent: outcomes.filter(({ column, outcome }) => outcome === "unverifiable" && absent.includes(column)).length,
    firstByteMs: timings.firstByte,
    wasSilent: conversation === "unanswered"
  }
}

/** Small questions, of which many are about what is too new to be had: they say nothing of how a peer takes the others. */
const isWanted = ({ purpose }: Probe): boolean => purpose === "availability" || purpose === "retrieval"

/** What stood in our own way is no question that was put. */
const withSettling = (
  evasion: Evasion,
  probe: Probe,
  settling: ProbeResult["settling"],
  confirmAfter: Duration.Duration
): Evasion => {
  if (Option.isNone(settling) || settling.value === "ours") return evasion
  const isEscape = settling.value === "escaped"
  const isBrought =
    !isEscape && probe.outcomes.length > 0 && probe.outcomes.every(({ outcome }) => outcome === "success")
  const spacingMs = Duration.toMillis(confirmAfter)
  return withQuestion(isBrought ? withDelivery(evasion) : evasion, isEscape, probe.finishedAt, spacingMs)
}

/** The question by root about what had just been left out. */
const withFollowUpOf = (
  evasion: Evasion,
  { finishedAt }: Probe,
  settling: ProbeResult["settling"],
  confirmAfter: Duration.Duration
): Evasion =>
  Option.isNone(settling) || settling.value === "ours"
    ? evasion
    : withFollowUp(evasion, settling.value === "escaped", finishedAt, Duration.toMillis(confirmAfter))

/** The first thing that went wrong in a probe: of any kind, or only what is blamed on `blame`. */
const failureOf = (probe: Probe, blame?: Blame): Option.Option<string> =>
  Option.flatMapNullable(
    Arr.findFirst(
      probe.outcomes,
      ({ outcome }) => outcome !== "success" && (blame ?? blameOf[outcome]) === blameOf[outcome]
    ),
    ({ reason }) => reason
  )

/** Whether there is an address to dial. */
export const isDialable = ({ address }: PeerState): boolean => address.multiaddrs.length > 0

/** Nobody has named it to us: it came by itself. */
export const cameToUs = (state: PeerState): boolean => !isDialable(state)

/** It came by itself, and has delivered nothing yet. */
export const isStranger = (state: PeerState): boolean => cameToUs(state) && state.outcomes.success === 0

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
    transport: Option.getOrNull(Option.map(state.remoteAddress, transportOf)),
    connected: state.connected,
    isProvider: state.isProvider,
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
    subscribedColumns: Option.getOrNull(state.subscribed),
    outcomes: state.outcomes,
    findings: state.findings,
    verdict: verdict(state),
    score: Math.round(state.score.value * 1000) / 1000,
    suspicions: countSuspicions(state.suspicions),
    failing: countFailing(state.failing),
    recovered: state.recovered,
    coverage: Option.getOrNull(state.coverage),
    lastProbeAt: Option.getOrNull(state.lastProbeAt),
    lastFailure: shownFailure(state)
  }
}

const shownFailure = (state: PeerState): string | null => {
  switch (verdict(state)) {
    case "compliant":
      return null
    case "evasive":
      return escapes(state.evasion)
    default:
      return Option.getOrNull(state.lastFailure)
  }
}

const escapes = ({ asked, escaped }: Evasion): string =>
  `escaped ${escaped} of ${asked} questions that would have settled what it left out`
