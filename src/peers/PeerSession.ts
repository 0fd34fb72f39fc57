import { Clock, Duration, Effect, Metric, Option, Ref, Schedule } from "effect"
import { toHex } from "../domain/Bytes.ts"
import { gaugeWhile } from "../domain/metrics/MetricFamily.ts"
import { probesInFlight, probesStarted } from "../domain/metrics/Metrics.ts"
import { epochOf, slotAt } from "../domain/network/Chain.ts"
import { forkDigestAt } from "../domain/network/ForkDigest.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import type { Job } from "../domain/probe/Job.ts"
import { PeerRefused, type RequestError, Unverifiable } from "../domain/probe/Outcome.ts"
import type { Evidence } from "../evidence/Evidence.ts"
import { EvidenceStore } from "../evidence/EvidenceStore.ts"
import type { HistoryError } from "../history/store/History.ts"
import { Externs, ExternsError } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { makeExcuseOverload } from "../probe/ExcuseOverload.ts"
import { askClaim } from "../probe/AskClaim.ts"
import { Prober } from "../probe/Prober.ts"
import { ProbeTotals } from "../probe/ProbeTotals.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { goodbyeCodes } from "../wire/Refusal.ts"
import { Crowd } from "./Crowd.ts"
import type { OnDemandProbes } from "./OnDemandProbes.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import type { PeerLink } from "./PeerLink.ts"
import { reachedAt } from "./PeerState.ts"
import { makeRecordProbe } from "./RecordProbe.ts"
import { makeTakeClaim } from "./TakeClaim.ts"

export interface SessionOptions {
  /** At least this between two probes of one peer. */
  readonly testInterval: Duration.Duration
  /** Between two looks at what the peer claims. */
  readonly refreshInterval: Duration.Duration
}

/** What a session works with; all of it is the actor's. */
export interface SessionParts {
  readonly journal: PeerJournal
  readonly link: PeerLink
  readonly onDemand: OnDemandProbes
  /** Waits longer each time, until it is reset. */
  readonly pause: Effect.Effect<void>
  readonly answered: Effect.Effect<void>
}

/** Everything done over one connection: ends when it is lost, after what is under way is finished. */
type Session = (nodeId: Uint8Array) => Effect.Effect<void, RequestError | Unverifiable>

export const makeSession = Effect.fnUntraced(function* (
  { answered, journal, link, onDemand, pause }: SessionParts,
  options: SessionOptions
) {
  const { chain, peerRefresh } = yield* Externs
  const host = yield* Host
  const sampler = yield* Sampler
  const prober = yield* Prober
  const evidence = yield* EvidenceStore
  const totals = yield* ProbeTotals
  const workers = yield* ProbeWorkers
  const crowd = yield* Crowd
  const doubts = yield* Doubts
  const excuseOverload = yield* makeExcuseOverload
  const takeClaim = yield* makeTakeClaim(journal)
  const recordProbe = yield* makeRecordProbe(journal)
  const unkept: Array<Evidence> = []
  /** The peer is asked one thing at a time. */
  const oneAtATime = yield* Effect.makeSemaphore(1)
  const { peerId } = journal.state().address

  const refresh = Effect.fn("PeerSession.refresh")(function* (nodeId: Uint8Array) {
    const statement = yield* excuseOverload(askClaim(peerRefresh, journal.state().address))
    const ours = digestsAround(slotAt(chain, yield* Clock.currentTimeMillis))
    const isOurs = ours.includes(statement.forkDigest)
    const isOurFault = yield* crowd.hear(peerId, { ...statement, isOurs })
    if (!isOurs) {
      const detail = `its fork digest is ${statement.forkDigest}, ours ${ours.join(" or ")}`
      if (isOurFault || Option.isSome(yield* doubts.forbids)) {
        return yield* new Unverifiable({ reason: "self_doubt", detail })
      }
      yield* host.disconnect(peerId, goodbyeCodes.irrelevantNetwork)
      return yield* new PeerRefused({ reason: "wrong_network", detail })
    }
    yield* takeClaim(statement, nodeId)
  })

  /** Near an epoch at which the digest changes, a peer may be a moment ahead of us or behind. */
  const digestsAround = (slot: number): ReadonlyArray<string> => [
    ...new Set([slot - 2, slot + 2].map((near) => toHex(forkDigestAt(chain, Math.max(0, epochOf(chain, near))))))
  ]

  /** Whatever was asked comes to its end in one piece: answered, counted, told and recorded; or not at all. */
  const probe = (nodeId: Uint8Array, claims: ClaimHistory, job: Job) =>
    Effect.uninterruptibleMask((restore) => {
      const ended = totals.started()
      return Effect.gen(function* () {
        const state = journal.state()
        yield* Metric.increment(probesStarted)
        const asking = prober.probe({
          address: state.address,
          nodeId,
          claims,
          job,
          agent: state.agent,
          remoteAddress: reachedAt(state)
        })
        const result = yield* restore(
          asking.pipe(Effect.disconnect, Effect.timeoutFail({ duration: probeLimit, onTimeout: () => endless }))
        )
        unkept.push(...result.evidence)
        yield* recordProbe(result, ended)
        if (Option.isSome(result.statement)) yield* restore(takeClaim(result.statement.value, nodeId))
        return result
      }).pipe(Effect.ensuring(Effect.sync(ended)))
    }).pipe(gaugeWhile(probesInFlight), Effect.withSpan("PeerSession.probe"))

  /** What is told is proven, also when the program stops at that moment. */
  const keepEvidence = Effect.suspend(() => evidence.keep(unkept.splice(0)))

  const nothingToAsk = (reason: string) => Effect.as(onDemand.refuse(reason), Option.none())

  /** Chosen when a worker is free and not before: by then the peer may have left, or claim something else. */
  const chooseAndProbe = Effect.fnUntraced(function* (nodeId: Uint8Array) {
    if (!link.isUp()) return Option.none()
    const doubt = yield* doubts.forbids
    if (Option.isSome(doubt)) return yield* nothingToAsk(`nobody is judged at this moment: ${doubt.value}`)
    const { claims } = journal.state()
    if (Option.isNone(claims)) return yield* nothingToAsk("it has claimed nothing yet")
    const wanted = onDemand.wanted()
    if (Option.isSome(wanted) && !(yield* sampler.allows(claims.value, wanted.value))) {
      yield* onDemand.refuse("what was asked for is not owed, or cannot be judged, at this moment", wanted)
      return Option.none()
    }
    const chosen = Option.isSome(wanted) ? wanted : yield* sampler.next(peerId, claims.value)
    if (Option.isNone(chosen)) return yield* nothingToAsk("nothing that it owes can be judged at this moment")
    return Option.some(yield* onDemand.serve(chosen.value, probe(nodeId, claims.value, chosen.value)))
  })

  /** One probe, if there is anything to ask; gives whether the peer is to be left alone for a while. */
  const probeNext = (nodeId: Uint8Array) =>
    Effect.gen(function* () {
      // Others may have the worker while this peer's evidence is written.
      const result = yield* Effect.ensuring(
        workers.run(oneAtATime.withPermits(1)(chooseAndProbe(nodeId))),
        keepEvidence
      )
      const wasAnswered = !Option.exists(result, ({ conversation }) => conversation !== "answered")
      yield* wasAnswered ? answered : syncLink
      return !wasAnswered
    }).pipe(
      Effect.catchTags({
        ExternsError: (error) => Effect.as(notNow("no ground truth to probe by", error), false),
        HistoryError: (error) => Effect.as(notNow("what was tested before cannot be read", error), false)
      })
    )

  /** Whoever is at fault has said so in a log line for all peers together. */
  const notNow = (what: string, { message }: ExternsError | HistoryError) =>
    Effect.logDebug(`${what}; the peer is probed later`).pipe(
      Effect.annotateLogs({ reason: message }),
      Effect.zipRight(onDemand.refuse(message))
    )

  const syncLink = Effect.map(host.connected, (peers) => link.set(peers.some((peer) => peer.peerId === peerId)))

  const session: Session = (nodeId) =>
    Effect.gen(function* () {
      const resting = yield* Ref.make(false)
      yield* refresh(nodeId)
      yield* onDemand.notWithin(Duration.zero)
      const rest = Effect.zipRight(Ref.set(resting, true), pause).pipe(Effect.ensuring(Ref.set(resting, false)))
      const probing = probeNext(nodeId).pipe(
        Effect.flatMap((leaveAlone) => Effect.when(rest, () => leaveAlone)),
        Effect.zipRight(onDemand.notWithin(options.testInterval)),
        Effect.repeat(Schedule.spaced(options.testInterval))
      )
      const refreshing = refresh(nodeId).pipe(
        oneAtATime.withPermits(1),
        Effect.unlessEffect(Ref.get(resting)),
        Effect.schedule(Schedule.spaced(options.refreshInterval))
      )
      const lost = Effect.zipRight(link.untilDown, oneAtATime.withPermits(1)(Effect.void))
      yield* Effect.raceFirst(Effect.raceFirst(probing, refreshing), lost)
    })
  return { session, syncLink }
})

/** Longer than the limits of all its requests together: a host that does not keep to them must not keep a worker. */
const probeLimit = Duration.minutes(5)
const endless = new ExternsError({
  operation: "probe",
  reason: `it was not over within ${Duration.format(probeLimit)}`
})
