import { Clock, Duration, Effect, Metric, Option, Ref } from "effect"
import { gaugeWhile } from "../domain/metrics/MetricFamily.ts"
import { probesInFlight, probesStarted } from "../domain/metrics/Metrics.ts"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { slotAt } from "../domain/network/Chain.ts"
import { forkDigestsAround } from "../domain/network/ForkDigest.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import { describe, PeerRefused, type RequestError, Unverifiable } from "../domain/probe/Outcome.ts"
import { isTooMuch } from "../domain/peer/Restraint.ts"
import type { Evidence } from "../evidence/Evidence.ts"
import { EvidenceStore } from "../evidence/EvidenceStore.ts"
import { Externs, ExternsError } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { makeExcuseOverload } from "../probe/ExcuseOverload.ts"
import { askClaim } from "../probe/AskClaim.ts"
import { Bandwidth, type Turn } from "../probe/Bandwidth.ts"
import { expectedBytes } from "../probe/ExpectedBytes.ts"
import { Prober } from "../probe/Prober.ts"
import { ProbeTotals } from "../probe/ProbeTotals.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { goodbyeCodes } from "../wire/Refusal.ts"
import { History, type HistoryError } from "../history/store/History.ts"
import { addFindings } from "../domain/peer/Finding.ts"
import { type Chosen, makeChooseJob } from "./ChooseJob.ts"
import { Crowd } from "./Crowd.ts"
import { makeWatchClaim } from "./WatchClaim.ts"
import { makeWatchSubscriptions } from "./WatchSubscriptions.ts"
import { columnsNotServed, notServed, withHandshake, withoutColumns } from "./Unsupported.ts"
import { tracking } from "./PeerJournal.ts"
import type { OnDemandProbes } from "./OnDemandProbes.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import type { Leaving } from "./Leaving.ts"
import type { PeerLink } from "./PeerLink.ts"
import { cameToUs, isStranger, reachedAt, withFindings } from "./PeerState.ts"
import { makePutQuestions } from "./PutQuestions.ts"
import type { Questions } from "./Questions.ts"
import { makeRecordProbe } from "./RecordProbe.ts"
import { irregular, irregularly } from "./Irregular.ts"
import { type BudgetOptions, makeRequestBudget } from "./RequestBudget.ts"
import { makeTakeClaim } from "./TakeClaim.ts"

export interface SessionOptions extends BudgetOptions {
  /** Between two looks at what the peer claims. */
  readonly refreshInterval: Duration.Duration
  /** Between what is suspected and the question that settles it. */
  readonly confirmAfter: Duration.Duration
}

/** What a session works with; all of it is the actor's. */
export interface SessionParts {
  readonly journal: PeerJournal
  readonly link: PeerLink
  readonly onDemand: OnDemandProbes
  readonly questions: Questions
  readonly leaving: Leaving
  /** Waits longer each time, until it is reset. */
  readonly pause: Effect.Effect<void>
  readonly answered: Effect.Effect<void>
  /** A pause of seconds, for a peer that seems to be starting. */
  readonly pauseBriefly: Effect.Effect<void>
}

/** Everything done over one connection: ends when it is lost, after what is under way is finished. */
type Session = (nodeId: Uint8Array) => Effect.Effect<void, RequestError | Unverifiable>

export const makeSession = Effect.fnUntraced(function* (
  { answered, journal, leaving, link, onDemand, pause, pauseBriefly, questions }: SessionParts,
  options: SessionOptions
) {
  const { chain, peerRefresh } = yield* Externs
  const host = yield* Host
  const history = yield* History
  const prober = yield* Prober
  const evidence = yield* EvidenceStore
  const totals = yield* ProbeTotals
  const workers = yield* ProbeWorkers
  const crowd = yield* Crowd
  const doubts = yield* Doubts
  const excuseOverload = yield* makeExcuseOverload
  const takeClaim = yield* makeTakeClaim(journal)
  const recordProbe = yield* makeRecordProbe(journal, options)
  const budget = makeRequestBudget(chain, journal.state, options)
  const { choose, isTurn } = yield* makeChooseJob(journal, onDemand, options.confirmAfter, budget, leaving)
  const putQuestions = yield* makePutQuestions(options.testInterval)
  const bandwidth = yield* Bandwidth
  const commitments = yield* CommitmentCache
  const watchClaim = yield* makeWatchClaim(journal)
  const watchSubscriptions = yield* makeWatchSubscriptions(journal)
  const unkept: Array<Evidence> = []
  /** One request for columns at a time; what a peer claims is asked beside it. */
  const oneProbe = yield* Effect.makeSemaphore(1)
  let isProbing = false
  const untilProbed = oneProbe.withPermits(1)(Effect.void)
  const { peerId } = journal.state().address

  /** `settled`: until nothing is asked of the peer; for who holds the permit of `oneProbe`, that is so. */
  const refresh = Effect.fn("PeerSession.refresh")(function* (nodeId: Uint8Array, settled: Effect.Effect<void>) {
    const statement = yield* excuseOverload(askClaim(peerRefresh, journal.state().address))
    const ours = forkDigestsAround(chain, slotAt(chain, yield* Clock.currentTimeMillis))
    const isOurs = ours.includes(statement.forkDigest)
    const isOurFault = yield* crowd.hear(peerId, {
      ...statement,
      isOurs,
      cameToUs: cameToUs(journal.state())
    })
    if (!isOurs) {
      const detail = `its fork digest is ${statement.forkDigest}, ours ${ours.join(" or ")}`
      if (isOurFault || Option.isSome(yield* doubts.forbids)) {
        return yield* new Unverifiable({ reason: "self_doubt", detail })
      }
      // Whatever is still asked comes to its end: that it breaks off must not be our own doing.
      yield* Effect.zipRight(settled, host.disconnect(peerId, goodbyeCodes.irrelevantNetwork))
      return yield* new PeerRefused({ reason: "wrong_network", detail })
    }
    yield* takeClaim(statement, nodeId)
    yield* watchClaim
    yield* watchSubscriptions
  })

  /**
   * It waits for no probe. When it fails the session ends, and a probe under way does not; a peer that was silent while it
   * sent us columns is asked once more when it has sent them.
   */
  const refreshBeside = (nodeId: Uint8Array) =>
    Effect.suspend(() => {
      const wasProbed = isProbing
      return Effect.catchAll(refresh(nodeId, untilProbed), (error) =>
        error._tag === "ProbeTimeout" && (wasProbed || isProbing)
          ? oneProbe.withPermits(1)(refresh(nodeId, Effect.void))
          : Effect.zipRight(untilProbed, Effect.fail(error))
      )
    })

  /** Whatever was asked comes to its end in one piece: answered, counted, told and recorded; or not at all. */
  const probe = (nodeId: Uint8Array, claims: ClaimHistory, { confirms, job, wanted }: Chosen) =>
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
          confirms,
          ...(wanted === undefined ? {} : { wanted }),
          agent: state.agent,
          remoteAddress: reachedAt(state)
        })
        const result = yield* restore(
          asking.pipe(Effect.disconnect, Effect.timeoutFail({ duration: probeLimit, onTimeout: () => endless }))
        )
        const refusal = notServed(result)
        if (Option.isSome(refusal)) return yield* Effect.as(servesNone(refusal.value), result)
        unkept.push(...result.evidence)
        yield* recordProbe(result, ended)
        if (Option.isSome(result.statement)) yield* restore(takeClaim(result.statement.value, nodeId))
        return result
      }).pipe(Effect.ensuring(Effect.sync(ended)))
    }).pipe(gaugeWhile(probesInFlight), Effect.withSpan("PeerSession.probe"))

  /** What is told is proven, also when the program stops at that moment. */
  const keepEvidence = Effect.suspend(() => evidence.keep(unkept.splice(0)))

  /** A peer without the protocol was not asked anything: it may be starting, or it never serves columns. */
  const servesNone = (refusal: PeerRefused) =>
    Effect.gen(function* () {
      const reason = describe(refusal)
      const findings = columnsNotServed(journal.state(), refusal)
      yield* journal.enter({
        change: (state) => ({ ...withFindings(withoutColumns(state), findings), lastFailure: Option.some(reason) }),
        events: (state) => [tracking(state, "failed", reason)]
      })
      if (findings.length > 0) yield* history.recordFindings(peerId, addFindings({}, findings))
    })

  /** Chosen when a worker is free and not before: by then the peer may have left, or claim something else. */
  const chooseAndProbe = Effect.fnUntraced(function* (nodeId: Uint8Array, turn: Turn) {
    if (!link.isUp() || leaving.isOver()) return Option.none()
    const { claims } = journal.state()
    const chosen = yield* choose(claims)
    if (Option.isNone(claims) || Option.isNone(chosen)) return Option.none()
    const asked = paid(nodeId, claims.value, chosen.value, turn)
    return Option.some(yield* onDemand.serve(chosen.value.job, asked))
  })

  /** A probe as it is charged: to the peer's budget and to the bandwidth of all. */
  const paid = (nodeId: Uint8Array, claims: ClaimHistory, chosen: Chosen, turn: Turn) =>
    Effect.gen(function* () {
      const { confirms, job, wanted } = chosen
      yield* turn.expect(yield* expectedBytes(commitments, job, confirms))
      const now = yield* Clock.currentTimeMillis
      const end = wanted === undefined ? budget.begin(job, confirms, now) : budget.beginWanted(job, now)
      const result = yield* Effect.acquireUseRelease(
        Effect.sync(() => (isProbing = true)),
        () => probe(nodeId, claims, chosen),
        () => Effect.sync(() => (isProbing = false))
      )
      end(result.probe, yield* Clock.currentTimeMillis)
      yield* turn.came(result.probe.bytes)
      return result
    })

  /** One probe, if there is anything to ask; gives how the peer is to be left alone after it. */
  const probeNext = (nodeId: Uint8Array) =>
    Effect.gen(function* () {
      if (!(yield* isTurn)) return Effect.void
      // Others may have the worker while this peer's evidence is written.
      const turn = yield* Effect.ensuring(
        workers.run(
          peerId,
          bandwidth.inTurn((turn) => oneProbe.withPermits(1)(chooseAndProbe(nodeId, turn))),
          isStranger(journal.state())
        ),
        keepEvidence
      )
      if (Option.isNone(turn)) yield* onDemand.refuse("the probes of all peers are at bandwidth_limit")
      const result = Option.flatten(turn)
      if (Option.isSome(Option.flatMap(result, notServed))) return pauseBriefly
      const wasAnswered = !Option.exists(result, ({ conversation }) => conversation !== "answered")
      yield* wasAnswered ? answered : syncLink
      // Whom we asked too much is left alone by its budget.
      const hasDelivered = journal.state().outcomes.success > 0
      const isOurs = Option.exists(result, ({ error }) => Option.exists(error, (one) => isTooMuch(one, hasDelivered)))
      return wasAnswered || isOurs ? Effect.void : pause
    }).pipe(
      Effect.catchTags({
        ExternsError: (error) => Effect.as(notNow("no ground truth to probe by", error), Effect.void),
        HistoryError: (error) => Effect.as(notNow("what was tested before cannot be read", error), Effect.void)
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
      yield* Effect.map(Clock.currentTimeMillis, budget.refresh)
      yield* refresh(nodeId, untilProbed)
      yield* journal.enter({ change: withHandshake })
      /** Of these, the rests after a probe that it did not answer. */
      const pausing = yield* Ref.make(false)
      const rest = (pause: Effect.Effect<void>, of: ReadonlyArray<Ref.Ref<boolean>> = [resting]) =>
        Effect.zipRight(setAll(of, true), pause).pipe(Effect.ensuring(setAll(of, false)))
      /** A peer that is left alone is not even asked for its claim, but for the last moments of it. */
      const untilTurn = (ofBudget: (now: number) => number) =>
        Effect.gen(function* () {
          const waitMs = yield* irregularly(ofBudget(yield* Clock.currentTimeMillis))
          const lastMs = Math.min(
            waitMs,
            Duration.toMillis(Duration.sum(options.testInterval, options.refreshInterval))
          )
          yield* onDemand.notWithin(Duration.millis(waitMs))
          if (waitMs > lastMs) yield* rest(Effect.sleep(waitMs - lastMs))
          yield* Effect.sleep(lastMs)
        })
      const probing = Effect.zipRight(
        untilTurn(budget.untilMs),
        probeNext(nodeId).pipe(
          Effect.flatMap((pause) => rest(pause, [resting, pausing])),
          Effect.zipRight(untilTurn(budget.spacingMs)),
          Effect.forever
        )
      )
      const refreshing = refreshBeside(nodeId).pipe(
        Effect.whenEffect(Effect.map(Clock.currentTimeMillis, budget.refresh)),
        Effect.unlessEffect(Ref.get(resting)),
        Effect.schedule(irregular(options.refreshInterval))
      )
      const answering = putQuestions(peerId, {
        journal,
        questions,
        budget,
        mayAsk: () => link.isUp() && !leaving.isOver(),
        isResting: Ref.get(pausing),
        untilProbed,
        unlessProbing,
        ask: (claims, chosen, turn) =>
          Effect.tap(paid(nodeId, claims, chosen, turn), ({ conversation }) =>
            conversation === "answered" ? Effect.void : syncLink
          ),
        afterwards: keepEvidence
      })
      const lost = Effect.zipRight(link.untilDown, untilProbed)
      yield* Effect.raceFirst(Effect.raceFirst(probing, refreshing), Effect.raceFirst(answering, lost))
    })
  /** Runs the effect unless a probe is under way; none begins meanwhile. */
  const unlessProbing = oneProbe.withPermitsIfAvailable(1)
  return { session, syncLink, unlessProbing }
})

const setAll = (refs: ReadonlyArray<Ref.Ref<boolean>>, value: boolean) =>
  Effect.forEach(refs, (ref) => Ref.set(ref, value), { discard: true })

/** Much longer than a probe may ask, be verified and settle: a host that hangs must not keep its peer from being probed. */
const probeLimit = Duration.minutes(5)
const endless = new ExternsError({
  operation: "probe",
  reason: `it was not over within ${Duration.format(probeLimit)}`
})
