import { Clock, Duration, Effect, Option } from "effect"
import { startClaims } from "../domain/peer/ClaimHistory.ts"
import { coverageView } from "../domain/probe/Confidence.ts"
import { noEvasion } from "../domain/peer/Evasion.ts"
import { failingOf } from "../domain/peer/Failing.ts"
import { suspicionsOf } from "../domain/peer/Suspicions.ts"
import { noOutcomes } from "../domain/probe/Outcome.ts"
import { UnknownPeer } from "../domain/probe/ProbeNow.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { PeerDetail } from "../domain/report/PeerDetail.ts"
import type { Claims, PeerRecord } from "../domain/report/Question.ts"
import { noConversations, recentConversations } from "../domain/peer/Verdict.ts"
import { History } from "../history/store/History.ts"
import { ReportError, Reports } from "../history/report/Reports.ts"
import { Peers } from "./Peers.ts"
import { newPeer, viewOf } from "./PeerState.ts"

/** All that is known of a peer, from the supervisor while it is tracked, and from the history. */
export const describePeer = Effect.fn("describePeer")(function* (
  peerId: string,
  verdictWindow: Duration.Duration
): Effect.fn.Return<PeerDetail, UnknownPeer | ReportError, Peers | Reports | History> {
  const peers = yield* Peers
  const reports = yield* Reports
  const view = peers.view(peerId)
  const failingSince = (yield* Clock.currentTimeMillis) - Duration.toMillis(verdictWindow)
  const record = yield* reports.peer({ peerId, failingSince })
  const gossip = yield* Effect.mapError(
    Effect.flatMap(History, ({ gossipFaults }) => gossipFaults(peerId)),
    ({ message }) => new ReportError({ fault: "failed", reason: message })
  )
  if (Option.isNone(view) && record === null && gossip.faults === 0) return yield* new UnknownPeer({ peerId })
  const claims = yield* reports.claims({ peerId, limit: shownClaims })
  return {
    ...Option.getOrElse(view, () => recorded(peerId, record, claims)),
    tracked: Option.isSome(view),
    firstSeen: record?.firstSeen ?? null,
    lastSeen: record?.lastSeen ?? null,
    probes: record?.probes ?? 0,
    suspected: record?.suspected ?? [],
    claims,
    claimChanges: record?.claimChanges ?? 0,
    failures: yield* reports.failures({ peerId, limit: shownFailures }),
    gossip,
    days: (yield* reports.peerDays({ peerId })).slice(-shownDays)
  }
})

/** Some 1 KB each, whatever the peer does. */
const shownClaims = 100
const shownFailures = 50
const shownDays = 366

/** A peer that is not tracked, as it was. */
const recorded = (peerId: string, record: typeof PeerRecord.Type, claims: typeof Claims.Type): PeerView =>
  viewOf({
    ...newPeer({ peerId, multiaddrs: [], enrCustodyGroupCount: Option.none() }),
    agent: Option.fromNullable(record?.agent),
    remoteAddress: Option.fromNullable(record?.address),
    claims: Option.map(Option.fromNullable(claims.at(-1)), startClaims),
    outcomes: record?.outcomes ?? noOutcomes,
    conversations: recentConversations(record?.conversations ?? noConversations),
    findings: record?.findings ?? {},
    suspicions: suspicionsOf(record?.suspected ?? []),
    evasion: record?.evasion ?? noEvasion,
    failing: failingOf(record?.failing ?? []),
    recovered: record?.recovered ?? 0,
    coverage: Option.map(Option.fromNullable(record?.coverage), coverageView),
    lastProbeAt: Option.fromNullable(record?.lastProbeAt),
    lastFailure: Option.fromNullable(record?.lastFailure)
  })
