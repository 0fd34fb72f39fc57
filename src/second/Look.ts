import { Clock, Data, Duration, Effect, Metric, Option, Random, Schedule } from "effect"
import type { Claim } from "../domain/peer/Claim.ts"
import { clientFamily } from "../domain/peer/ClientFamily.ts"
import { secondBytes } from "../domain/metrics/Metrics.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { type RequestError, Unverifiable } from "../domain/probe/Outcome.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { DialError } from "../host/Host.ts"
import { Peers } from "../peers/Peers.ts"
import { Doubts } from "../runtime/Doubts.ts"
import type { Asked, Heard } from "./AskSecond.ts"
import { type ClaimDifference, claimDifferences, sameDifferences } from "./CompareClaims.ts"
import { describeDisagreement } from "./DescribeDisagreement.ts"
import type { LookResult } from "../domain/probe/SecondLook.ts"
import type { OwnTrouble } from "./OwnTrouble.ts"
import { contradicted, type Held, heldAgain, repeated, type Subject } from "./Subject.ts"
import type { Visits } from "./Visits.ts"

export interface LookOptions {
  /** At least this between two probes of one peer. */
  readonly testInterval: Duration.Duration
  /** Between two looks of the first identity at what a peer claims. */
  readonly refreshInterval: Duration.Duration
  /** Between a disagreement and the questions that confirm it, at least. */
  readonly confirmAfter: Duration.Duration
}

export interface LookParts {
  readonly ask: (asked: Asked) => Effect.Effect<Heard, AskError>
  readonly visits: Visits
  readonly ownTrouble: OwnTrouble
}

type AskError = DialError | RequestError | Unverifiable | ExternsError

/** The first identity has lost it, so that there is nothing to compare with. */
class PeerGone extends Data.TaggedError("PeerGone") {}

/** What the second identity was told, between two things that the first was told. */
interface Round {
  readonly heard: Heard
  readonly differences: ReadonlyArray<ClaimDifference>
}

/**
 * One look at one peer: the second identity asks what the first has just had an answer to. Where the two disagree both
 * are asked again, later, the second before and after the first; only what is so each time, whoever is asked, is told.
 * An honest peer that prunes, fills back, restarts or is late changes for both.
 */
export const makeLook = Effect.fnUntraced(function* ({ ask, ownTrouble, visits }: LookParts, options: LookOptions) {
  const peers = yield* Peers
  const doubts = yield* Doubts
  const asking = yield* Effect.makeSemaphore(atOnce)

  const acquaintance = (peerId: PeerId) =>
    Effect.gen(function* () {
      const peer = Option.getOrUndefined(peers.known(peerId))
      const claim = Option.getOrUndefined(Option.flatMap(Option.fromNullable(peer), ({ claims }) => claims))?.current
      const nodeId = Option.getOrUndefined(Option.flatMap(Option.fromNullable(peer), ({ nodeId }) => nodeId))
      if (peer === undefined || !peer.connected || claim === undefined || nodeId === undefined) {
        return yield* new PeerGone()
      }
      return { address: peer.address, agent: peer.agent, claim, nodeId }
    })

  /** What the first identity is told after the second was; a peer that it cannot ask any more says nothing. */
  const claimedAfter = (peerId: PeerId, { observedAt }: Claim) =>
    Effect.filterOrFail(
      Effect.map(acquaintance(peerId), ({ claim }) => claim),
      (claim) => claim.observedAt > observedAt,
      () => new PeerGone()
    ).pipe(Effect.delay(options.refreshInterval), Effect.retry({ times: patience }))

  const round = Effect.fn("Look.round")(function* ({ job }: Subject) {
    const { address, claim, nodeId } = yield* acquaintance(job.peerId)
    const visit = visits
      .begin(job.peerId)
      .pipe(
        Effect.zipRight(ask({ address, nodeId, job })),
        Effect.disconnect,
        Effect.timeoutFail({ duration: visitLimit, onTimeout: () => endless })
      )
    const heard = yield* asking.withPermits(1)(visit)
    yield* Metric.incrementBy(secondBytes, heard.bytes)
    const mayDiffer = claimDifferences(claim, heard.claim, claim).length > 0
    const after = mayDiffer ? yield* Effect.option(claimedAfter(job.peerId, heard.claim)) : Option.none()
    const differences = Option.match(after, {
      onNone: () => [],
      onSome: (later) => claimDifferences(claim, heard.claim, later)
    })
    return { heard, differences } satisfies Round
  })

  /** The first identity asks again, in its own turn, as it asks anything. */
  const askFirst = ({ job }: Subject) =>
    peers
      .probe(job.peerId, job)
      .pipe(Effect.retry(Schedule.intersect(Schedule.recurs(patience), Schedule.spaced(options.testInterval))))

  /** What of a disagreement is still so when both are asked again. */
  const confirm = Effect.fn("Look.confirm")(function* (
    subject: Subject,
    before: { readonly held: ReadonlyArray<Held>; readonly differences: ReadonlyArray<ClaimDifference> }
  ) {
    const again = yield* round(subject)
    const differences = sameDifferences(before.differences, again.differences)
    const stillOtherwise = contradicted(before.held, again.heard.held)
    if (stillOtherwise.length === 0) return { held: [], differences }
    const asBefore = repeated(stillOtherwise, heldAgain(yield* askFirst(subject)))
    if (asBefore.length === 0) return { held: [], differences }
    return { held: contradicted(asBefore, (yield* round(subject)).heard.held), differences }
  })

  const hear = (peerId: PeerId, disagrees: boolean) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      const agent = Option.flatMap(peers.known(peerId), (peer) => peer.agent)
      ownTrouble.hear({ peerId, family: clientFamily(Option.getOrNull(agent)), disagrees, at })
    })

  const isDoubted = Effect.gen(function* () {
    const trouble = ownTrouble.look(yield* Clock.currentTimeMillis)
    return trouble !== undefined || Option.isSome(yield* doubts.forbids)
  })

  const compare = Effect.fn("Look.compare")(function* (subject: Subject): Effect.fn.Return<LookResult> {
    const { peerId } = subject.job
    const first = yield* Effect.either(round(subject))
    if (first._tag === "Left") return resultOf(first.left)
    const { differences, heard } = first.right
    const held = contradicted(subject.held, heard.held)
    if (held.length === 0 && differences.length === 0) {
      if (Option.isSome(heard.error)) return resultOf(heard.error.value)
      if (heard.isCut) return "ours"
      yield* hear(peerId, false)
      return "agreed"
    }
    yield* hear(peerId, true)
    yield* Effect.sleep(Duration.times(options.confirmAfter, yield* Random.nextRange(1, 1.3)))
    const confirmed = yield* Effect.either(confirm(subject, { held, differences }))
    if (confirmed._tag === "Left") return "unconfirmed"
    const disagreement = describeDisagreement(confirmed.right)
    if (Option.isNone(disagreement)) {
      yield* hear(peerId, false)
      return "unconfirmed"
    }
    if (yield* isDoubted) return "doubted"
    yield* Effect.logWarning(`a peer answers our two identities differently: ${disagreement.value}`).pipe(
      Effect.annotateLogs({ peer: peerId })
    )
    yield* peers.note(peerId, { kind: "serves_by_asker", detail: disagreement.value })
    return "disagreed"
  })

  return (subject: Subject) => Effect.ensuring(compare(subject), visits.end(subject.job.peerId))
})

/** Peers that the second identity asks at once. */
const atOnce = 2
/** Times that the first identity's turn, or its next look at the claim, is waited for. */
const patience = 5
/** Longer than the limits of all requests of one visit together. */
const visitLimit = Duration.minutes(5)
const endless = new Unverifiable({ reason: "overload", detail: `not over within ${Duration.format(visitLimit)}` })

/** To be refused, or not answered, is no disagreement. */
const resultOf = (error: AskError | PeerGone): LookResult => {
  switch (error._tag) {
    case "PeerRefused":
      return "refused"
    case "ProbeTimeout":
    case "PeerDisconnected":
      return error.stage === "dial" ? "unreached" : "unanswered"
    case "MalformedResponse":
    case "ColumnsUnavailable":
      return "unanswered"
    case "NotDialled":
    case "Unverifiable":
    case "ExternsError":
    case "PeerGone":
      return "ours"
  }
}
