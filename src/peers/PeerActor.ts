import { Clock, Duration, Effect, Either, Option, Ref, Schedule, Stream, SubscriptionRef } from "effect"
import { toHex } from "../domain/Bytes.ts"
import { epochOf, slotAt } from "../domain/network/Chain.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import { forkDigestAt } from "../domain/network/ForkDigest.ts"
import type { Job } from "../domain/probe/Job.ts"
import { describe, PeerRefused, type RequestError } from "../domain/probe/Outcome.ts"
import { EvidenceStore } from "../evidence/EvidenceStore.ts"
import { History, type HistoryError } from "../history/store/History.ts"
import { Externs, type ExternsError } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { isStopping, makeConclude } from "./RecordProbe.ts"
import { makeHear } from "./TakeClaim.ts"
import { conversationOf, Prober } from "../probe/Prober.ts"
import type { PeerEntry } from "./PeerEntry.ts"
import { placeOf, withConnection, withConversation } from "./PeerState.ts"
import { Tally } from "../probe/ProbeTotals.ts"
import { makeVoice } from "./Voice.ts"
import { Workers } from "../probe/ProbeWorkers.ts"

export interface PeerActorOptions {
  /** At least this between two probes of one peer, in milliseconds. */
  readonly testIntervalMs: number
  readonly refreshIntervalMs: number
  /** How long a peer that left, and cannot be dialled, is waited for, in milliseconds. */
  readonly graceMs: number
  /** Whether a peer may be probed; asked again once its agent is known. */
  readonly allows: (peer: PeerFacts) => boolean
}

/** What a filter can go by. */
export interface PeerFacts {
  readonly peerId: string
  /** `0x` and 64 digits. */
  readonly nodeId: string | undefined
  /** `undefined` until it is known. */
  readonly agent: string | undefined
}

/** Why an actor ended. */
type End = "did not come back" | "left out by node_filter"

/**
 * One peer's life: connect, handshake, then refresh its claim and probe it, one thing at a time, until it leaves;
 * and again. Ends only for a peer that left, has no address to dial and did not come back within the grace period, or
 * that turns out to be left out by the filter.
 */
export const live = Effect.fn("PeerActor.live")(function* (entry: PeerEntry, options: PeerActorOptions) {
  const { chain, peerRefresh } = yield* Externs
  const host = yield* Host
  const history = yield* History
  const sampler = yield* Sampler
  const prober = yield* Prober
  const evidence = yield* EvidenceStore
  const tally = yield* Tally
  const workers = yield* Workers
  const voice = yield* makeVoice(entry)
  const { track, update } = voice
  const hear = yield* makeHear(entry, voice)
  const conclude = yield* makeConclude(voice)
  const { address } = entry
  const { peerId } = address
  const oneAtATime = yield* Effect.makeSemaphore(1)
  const backOff = yield* backOffSchedule(options.testIntervalMs).pipe(
    Schedule.tapOutput((delay) => entry.demand.notWithin(Duration.toMillis(delay) + options.testIntervalMs)),
    Schedule.driver
  )

  /** A dial, handshake or refresh that failed. */
  const conversationFailed = (error: RequestError) =>
    Effect.gen(function* () {
      const conversation = conversationOf(error)
      const at = yield* Clock.currentTimeMillis
      yield* history.recordConversation(peerId, conversation, describe(error), at)
      yield* update((state) => withConversation(state, conversation, describe(error)))
      yield* track("failed", describe(error))
    })

  const refresh = Effect.fn("PeerActor.refresh")(function* (nodeId: Uint8Array) {
    const statement = yield* peerRefresh(address)
    const now = yield* Clock.currentTimeMillis
    const ours = digestsAround(slotAt(chain, now))
    if (!ours.includes(statement.forkDigest)) {
      yield* host.disconnect(peerId, wrongNetworkGoodbye)
      const detail = `its fork digest is ${statement.forkDigest}, ours ${ours.join(" or ")}`
      return yield* new PeerRefused({ reason: "wrong_network", detail })
    }
    yield* hear(statement, nodeId)
  })

  /** Near an epoch at which the digest changes, a peer may be a moment ahead of us or behind. */
  const digestsAround = (slot: number): ReadonlyArray<string> => [
    ...new Set([slot - 2, slot + 2].map((near) => toHex(forkDigestAt(chain, Math.max(0, epochOf(chain, near))))))
  ]

  /** Whatever was asked comes to its end in one piece: answered, counted, recorded and told; or not at all. */
  const probe = (nodeId: Uint8Array, claims: ClaimHistory, job: Job) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const state = yield* Ref.get(entry.state)
        yield* tally.probeStarted
        const result = yield* restore(
          prober.probe({ address, nodeId, claims, job, agent: state.agent, remoteAddress: placeOf(state) })
        ).pipe(Effect.onExit((exit) => tally.probeEnded(exit._tag === "Success" ? exit.value.probe : undefined)))
        yield* conclude(result)
        yield* Effect.whenEffect(evidence.keep(result.evidence), isStopping)
        if (Option.isSome(result.statement)) yield* restore(hear(result.statement.value, nodeId))
        return result
      })
    ).pipe(Effect.withSpan("PeerActor.probe"))

  /** One probe, if there is anything to ask; gives whether the peer is to be left alone for a while. */
  const probeNext = (nodeId: Uint8Array) =>
    Effect.gen(function* () {
      const { claims } = yield* Ref.get(entry.state)
      if (Option.isNone(claims)) return yield* nothingToAsk("it has claimed nothing yet")
      const job = yield* sampler.next(peerId, claims.value)
      if (Option.isNone(job)) return yield* nothingToAsk("nothing that it owes can be judged at this moment")
      const probing = entry.demand.answer(probe(nodeId, claims.value, job.value))
      // While it waited for a worker the peer may have left; what is not asked needs no outcome.
      const result = yield* workers.run(peerId, Effect.whenEffect(probing, entry.link.get))
      // Others may have the worker while this peer's evidence is written.
      yield* evidence.keep(Option.match(result, { onNone: () => [], onSome: ({ evidence }) => evidence }))
      const answered = !Option.exists(result, ({ conversation }) => conversation !== "answered")
      yield* answered ? backOff.reset : syncLink
      return !answered
    }).pipe(
      Effect.catchTags({
        ExternsError: (error) => Effect.as(noGroundTruth(error), false),
        HistoryError: (error) => Effect.as(unread(error), false)
      })
    )

  const noGroundTruth = (error: ExternsError) =>
    Effect.logDebug("no ground truth to probe by").pipe(Effect.annotateLogs({ peer: peerId, reason: error.message }))

  const unread = (error: HistoryError) =>
    Effect.logWarning("what was tested before cannot be read; the peer is probed later").pipe(
      Effect.annotateLogs({ peer: peerId, reason: error.message }),
      Effect.zipRight(entry.demand.refuse(error.message))
    )

  const nothingToAsk = (reason: string) => Effect.as(entry.demand.refuse(reason), false)

  /** Waits longer each time, until a probe is answered. */
  const pause = backOff.next(undefined).pipe(Effect.ignore)

  const syncLink = Effect.gen(function* () {
    const peers = yield* host.connected
    const up = peers.some((peer) => peer.peerId === peerId)
    yield* SubscriptionRef.set(entry.link, up)
    yield* Ref.update(entry.state, (state) => ({ ...state, connected: up }))
  })

  const linkIs = (up: boolean) =>
    entry.link.changes.pipe(
      Stream.filter((link) => link === up),
      Stream.take(1),
      Stream.runDrain
    )

  const connect = Effect.gen(function* () {
    const peer = yield* host.connect(address)
    yield* SubscriptionRef.set(entry.link, true)
    const { agent } = yield* Ref.updateAndGet(entry.state, (state) => withConnection(state, peer))
    const at = yield* Clock.currentTimeMillis
    yield* history.recordPeer(peerId, { agent, address: peer.address, at })
    yield* track("connected", agent ?? "agent unknown")
    return peer
  })

  /** Everything done over one connection; ends when it is lost, after what is under way is finished. */
  const session = (nodeId: Uint8Array) =>
    Effect.gen(function* () {
      const resting = yield* Ref.make(false)
      yield* refresh(nodeId)
      yield* entry.demand.notWithin(0)
      const rest = Effect.zipRight(Ref.set(resting, true), pause).pipe(Effect.ensuring(Ref.set(resting, false)))
      const probing = probeNext(nodeId).pipe(
        oneAtATime.withPermits(1),
        Effect.flatMap((leaveAlone) => Effect.when(rest, () => leaveAlone)),
        Effect.zipRight(entry.demand.notWithin(options.testIntervalMs)),
        Effect.repeat(Schedule.spaced(options.testIntervalMs))
      )
      const refreshing = refresh(nodeId).pipe(
        oneAtATime.withPermits(1),
        Effect.unlessEffect(Ref.get(resting)),
        Effect.schedule(Schedule.spaced(options.refreshIntervalMs))
      )
      const lost = Effect.zipRight(linkIs(false), oneAtATime.withPermits(1)(Effect.void))
      yield* Effect.raceFirst(Effect.raceFirst(probing, refreshing), lost)
    })

  const nodeId = (yield* Ref.get(entry.state)).nodeId
  const facts = (agent: string | undefined): PeerFacts => ({
    peerId,
    nodeId: Option.getOrUndefined(Option.map(nodeId, toHex)),
    agent
  })
  while (true) {
    const dialable = address.multiaddrs.length > 0
    if (!dialable && !(yield* SubscriptionRef.get(entry.link))) {
      const back = yield* linkIs(true).pipe(Effect.timeoutOption(options.graceMs))
      if (Option.isNone(back)) return "did not come back" satisfies End
    }
    const peer = yield* Effect.either(connect)
    if (Either.isRight(peer) && !options.allows(facts(peer.right.agent))) {
      yield* host.disconnect(peerId, shutdownGoodbye)
      return "left out by node_filter" satisfies End
    }
    const outcome = yield* peer.pipe(
      Effect.zipRight(Option.match(nodeId, { onNone: () => linkIs(false), onSome: session })),
      Effect.either
    )
    if (Either.isLeft(outcome) && outcome.left._tag !== "NotDialled") yield* conversationFailed(outcome.left)
    yield* syncLink
    yield* pause
  }
})

const shutdownGoodbye = 1
const wrongNetworkGoodbye = 2

/** From twice the test interval, doubling, up to five minutes; always a little late, never early. */
const backOffSchedule = (testIntervalMs: number) =>
  Schedule.exponential(testIntervalMs * 2, 2).pipe(
    Schedule.union(Schedule.spaced("5 minutes")),
    Schedule.jitteredWith({ min: 1, max: 1.2 }),
    Schedule.delays
  )
