import { Clock, Deferred, Duration, Effect, Either, Option, Schedule } from "effect"
import { toHex } from "../domain/Bytes.ts"
import { describe, type PeerRefused, type RequestError, type Unverifiable } from "../domain/probe/Outcome.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import { NotConnected, NothingToAsk } from "../domain/probe/ProbeNow.ts"
import { History } from "../history/store/History.ts"
import { Host, type NotDialled } from "../host/Host.ts"
import { makeExcuseOverload } from "../probe/ExcuseOverload.ts"
import { conversationOf } from "../probe/Conversation.ts"
import { goodbyeCodes, goodbyeRefusal } from "../wire/Refusal.ts"
import { makeNoteFinding } from "./NoteFinding.ts"
import { makeOnDemandProbes, type OnDemandProbes } from "./OnDemandProbes.ts"
import { makePeerJournal, tracking } from "./PeerJournal.ts"
import type { Tracked } from "./MakeRoom.ts"
import { makeLeaving } from "./Leaving.ts"
import { makePeerLink } from "./PeerLink.ts"
import { makeRemember } from "./RememberPeer.ts"
import { makeSession, type SessionOptions } from "./PeerSession.ts"
import {
  experienced,
  isDialable,
  newPeer,
  type PeerState,
  restrainedBy,
  reviewed,
  viewOf,
  withAddress,
  withConnection,
  withConversation
} from "./PeerState.ts"
import { type Presence, presenceOf } from "./Presence.ts"
import { makeSentAway } from "./SentAway.ts"
import { hasOtherStanding, standingOf } from "./Standing.ts"
import { makeQuestions, type Questions } from "./Questions.ts"
import { isUnsupported, withoutHandshake } from "./Unsupported.ts"

export interface PeerActorOptions extends SessionOptions {
  /** How far back a verdict looks. */
  readonly verdictWindow: Duration.Duration
  /** How long a peer that left, and cannot be dialled, is waited for. */
  readonly grace: Duration.Duration
  /** Whether a peer may be probed; asked again once its agent is known. */
  readonly allows: (peer: PeerFacts) => boolean
}

/** What a filter can go by. */
export interface PeerFacts {
  readonly peerId: string
  /** `0x` and 64 digits; none if the peer id does not hold the key. */
  readonly nodeId: Option.Option<string>
  /** None until it is known. */
  readonly agent: Option.Option<string>
}

/** A peer as its actor knows it at this moment. */
export type KnownPeer = Pick<
  PeerState,
  "address" | "agent" | "claims" | "connected" | "findings" | "isProvider" | "nodeId" | "score"
>

/** Why an actor ended. */
export type PeerEnd =
  | "did not come back"
  | "left out by node_filter"
  | "made room for others"
  | "others have their turn"
  | "its score is too low"

/**
 * One peer, and everything that is done about it. It alone changes what is known of the peer; others tell it what they
 * heard, ask it for a probe, or look.
 */
export interface PeerActor {
  readonly peerId: string
  /** What decides whether it has to make room for others. */
  readonly standing: () => Omit<Tracked, "peerId" | "isConfigured">
  /** Has it make room: it is tracked no more. */
  readonly dismiss: Effect.Effect<void>
  /** See `Peers.rest`. */
  readonly rest: (evenIfSuspected: boolean, why?: PeerEnd) => Effect.Effect<boolean>
  readonly presence: () => Presence
  /** None until what the history knows of the peer was asked for: it is not tracked before that. */
  readonly view: () => Option.Option<PeerView>
  /** What is older than the verdict's window counts no more, and the score goes back to neutral. */
  readonly review: Effect.Effect<void>
  /** A connection to the peer is up; its actor then asks the host for it. */
  readonly connectionUp: Effect.Effect<void>
  /** The last connection to the peer is gone; `goodbye` is the code of the Goodbye that it sent before, if any. */
  readonly connectionDown: (goodbye: Option.Option<number>) => Effect.Effect<void>
  /** The peer was heard of again: at another address, or with another custody group count in its ENR. */
  readonly moved: (address: PeerAddress) => Effect.Effect<void>
  /** See `Peers.hurry`. */
  readonly hurry: Effect.Effect<void>
  /** What others may go by when they ask the peer something themselves. */
  readonly known: () => KnownPeer
  /** Somebody else found out something odd about the peer: it is shown, counted, told and recorded. */
  readonly note: (finding: Finding) => Effect.Effect<void>
  /** Its next probe, of this job or of whatever it chooses, within the same budgets as all of its probes. */
  readonly probe: OnDemandProbes["wait"]
  /** See `Peers.ask`. */
  readonly ask: Questions["wait"]
  /**
   * The peer's life: connect, handshake, then refresh its claim and probe it, one thing at a time, until it leaves; and
   * again. Ends only for a peer that left, has no address to dial and did not come back within the grace period, or
   * that turns out to be left out by the filter. May be run again after a defect: what was known stays known.
   */
  readonly live: Effect.Effect<PeerEnd>
}

/** An actor for a peer; nothing happens before it lives. */
export const makePeerActor = Effect.fnUntraced(function* (
  first: PeerAddress,
  options: PeerActorOptions & { readonly isProvider: boolean }
) {
  const host = yield* Host
  const history = yield* History
  const excuseOverload = yield* makeExcuseOverload
  const { peerId } = first
  const journal = yield* makePeerJournal({ ...newPeer(first), isProvider: options.isProvider })
  const link = yield* makePeerLink
  const onDemand = makeOnDemandProbes(peerId, link.untilDown)
  const questions = makeQuestions(peerId, link.untilDown)
  const newAddress = yield* Effect.makeLatch(false)
  const dismissed = yield* Deferred.make<PeerEnd>()
  const leaving = makeLeaving()
  const since = yield* Clock.currentTimeMillis
  const backOff = yield* backOffSchedule(options.testInterval).pipe(
    Schedule.tapOutput((delay) => onDemand.notWithin(Duration.sum(delay, options.testInterval))),
    Schedule.driver
  )
  const pause = Effect.ignore(backOff.next(undefined))
  const starting = yield* Schedule.driver(startingSchedule)
  const pauseBriefly = Effect.ignore(starting.next(undefined))
  const answered = Effect.zipRight(backOff.reset, starting.reset)
  const sentAway = makeSentAway(link, onDemand)
  const { session, syncLink, unlessProbing } = yield* makeSession(
    { journal, link, onDemand, questions, leaving, pause, pauseBriefly, answered },
    options
  )

  /** A dial, handshake or refresh that failed. What is our own doing is no conversation with the peer. */
  const failed = (error: RequestError | NotDialled | Unverifiable) =>
    Effect.gen(function* () {
      if (error._tag === "NotDialled" || error._tag === "Unverifiable") {
        const reason = error._tag === "NotDialled" ? error.message : describe(error)
        return yield* Effect.logDebug(`a failure that is not the peer's: ${reason}`)
      }
      const conversation = conversationOf(error)
      const reason = describe(error)
      if (error._tag === "PeerRefused") yield* sentAway.refused(error)
      const before = journal.state()
      const now = yield* Clock.currentTimeMillis
      const after = yield* journal.enter({
        change: (state) =>
          isUnsupported(error)
            ? { ...withoutHandshake(state), lastFailure: Option.some(reason) }
            : withConversation(
                experienced(
                  restrainedBy(state, error, options.testInterval, now),
                  { _tag: conversation === "refused" ? "Refused" : "NotReached" },
                  now
                ),
                conversation,
                Option.some(reason)
              ),
        events: (state) => [tracking(state, "failed", reason)]
      })
      if (after.conversations === before.conversations) return
      yield* history.recordConversation(peerId, conversation, reason, now)
      yield* recordStanding(before, after)
    })

  const recordStanding = (before: PeerState, after: PeerState) =>
    Effect.when(history.recordStanding(peerId, standingOf(after)), () => hasOtherStanding(before, after))

  /** `refusal`: what a Goodbye said of us before. */
  const disconnected = (detail: string, refusal = Option.none<PeerRefused>()) =>
    Effect.gen(function* () {
      const before = journal.state()
      const now = yield* Clock.currentTimeMillis
      const after = yield* journal.enter({
        change: (state) => ({
          ...experienced(
            Option.match(refusal, {
              onNone: () => state,
              onSome: (error) => restrainedBy(state, error, options.testInterval, now)
            }),
            { _tag: "Lost", afterMs: now - connectedSince },
            now
          ),
          connected: false
        }),
        events: (state) => [tracking(state, "disconnected", detail)],
        also: () => link.set(false)
      })
      yield* recordStanding(before, after)
    })

  const connect = Effect.gen(function* () {
    // The host's event of the loss did not reach us: it is told all the same.
    if (journal.state().connected && !link.isUp()) yield* disconnected("connection closed")
    // A host that calls it connected all the while, and cannot connect, is no reason to try again at once.
    isUnreached = !link.isUp()
    const peer = yield* excuseOverload(host.connect(journal.state().address))
    isUnreached = false
    yield* sentAway.arrived
    const wasConnected = journal.state().connected
    if (!wasConnected) connectedSince = yield* Clock.currentTimeMillis
    const { agent } = yield* journal.enter({
      change: (state) => withConnection(state, peer),
      events: (state) =>
        wasConnected
          ? []
          : [
              tracking(
                state,
                "connected",
                Option.getOrElse(state.agent, () => "agent unknown")
              )
            ],
      also: () => link.set(true)
    })
    yield* history.recordPeer(peerId, { agent, address: Option.some(peer.address), at: yield* Clock.currentTimeMillis })
    return peer
  })

  const facts = (agent: Option.Option<string>): PeerFacts => ({
    peerId,
    nodeId: Option.map(journal.state().nodeId, toHex),
    agent
  })

  /** Connects and stays, or says why not. */
  const visit = Effect.gen(function* () {
    const peer = yield* connect
    if (!options.allows(facts(peer.agent))) {
      yield* host.disconnect(peerId, goodbyeCodes.shutdown)
      return Option.some<PeerEnd>("left out by node_filter")
    }
    yield* Option.match(journal.state().nodeId, { onNone: () => link.untilDown, onSome: session })
    return Option.none<PeerEnd>()
  })

  let isUnreached = false
  let isStarting = false
  let connectedSince = 0
  let failedVisits = 0
  let notDialled = 0

  const countVisit = (failure: Option.Option<RequestError | NotDialled | Unverifiable>): void => {
    const isOurs = Option.exists(failure, ({ _tag }) => _tag === "NotDialled" || _tag === "Unverifiable")
    failedVisits = Option.isNone(failure) ? 0 : failedVisits + (isOurs ? 0 : 1)
    notDialled = isOurs ? notDialled + 1 : 0
  }

  /** A peer that could not be reached, and then comes by itself or is heard of elsewhere, is not waited for any longer. */
  const rest = Effect.suspend(() =>
    isUnreached
      ? Effect.raceFirst(pause, Effect.zipRight(Effect.raceFirst(link.untilUp, newAddress.await), backOff.reset))
      : isStarting
        ? pauseBriefly
        : pause
  )

  /** A Goodbye while nothing was asked is told here; of one that cut a request short that request has told. */
  const bidFarewell = (refusedBefore: number) =>
    Effect.flatMap(sentAway.farewell, (said) => {
      const { conversations, lastFailure } = journal.state()
      const untold = Option.filter(
        said,
        (refusal) => conversations.refused <= refusedBefore || !Option.contains(lastFailure, describe(refusal))
      )
      return Option.isSome(untold) ? failed(untold.value) : Effect.void
    })

  const remember = yield* makeRemember(peerId, options.verdictWindow)
  let isRemembered = false

  /** What the history knows is read before the peer is tracked, or as soon as it can be read; it says so itself. */
  const begin = Effect.gen(function* () {
    const known = yield* Effect.option(remember)
    if (!journal.hasBegun()) {
      const begun = { ...journal.state(), ...Option.getOrElse(known, () => ({})) }
      yield* journal.begin(begun, begun.address.multiaddrs[0] ?? "came to us")
    }
    if (Option.isNone(known)) {
      const late = yield* Effect.orDie(Effect.retry(remember, readAgain))
      yield* journal.enter({ change: (state) => ({ ...state, ...late }) })
    }
    isRemembered = true
  })

  const live = Effect.gen(function* () {
    yield* Effect.unless(begin, () => isRemembered)
    while (true) {
      if (!isDialable(journal.state()) && !link.isUp()) {
        const back = yield* link.untilUp.pipe(Effect.raceFirst(newAddress.await), Effect.timeoutOption(options.grace))
        if (Option.isNone(back)) return "did not come back" satisfies PeerEnd
      }
      // An address was heard of meanwhile: that is no reason to come back early.
      if (!link.isUp()) yield* sentAway.rest(Effect.void)
      newAddress.unsafeClose()
      const { refused } = journal.state().conversations
      const visited = yield* Effect.either(visit)
      isStarting = Either.isLeft(visited) && isUnsupported(visited.left)
      countVisit(Either.getLeft(visited))
      if (Either.isLeft(visited)) yield* failed(visited.left)
      else if (Option.isSome(visited.right)) return visited.right.value
      yield* bidFarewell(refused)
      yield* syncLink
      yield* isDialable(journal.state()) ? sentAway.rest(rest) : rest
    }
  })

  const actor: PeerActor = {
    peerId,
    standing: () => {
      const state = journal.state()
      return {
        isConnected: state.connected || link.isUp(),
        isDialable: isDialable(state),
        hasAnswered: Option.isSome(state.claims),
        isProven: state.outcomes.success > 0 || state.failing.size > 0 || state.suspicions.size > 0,
        since
      }
    },
    dismiss: Effect.asVoid(Deferred.succeed(dismissed, "made room for others")),
    rest: (evenIfSuspected, why = "others have their turn") =>
      Effect.suspend(() => {
        leaving.want()
        const goIfSettled = Effect.suspend(() => {
          const isSettled = evenIfSuspected || presenceOf(journal.state()).isSettled
          if (!isSettled || onDemand.isWaitedFor() || questions.isWaitedFor()) return Effect.succeed(false)
          leaving.end()
          return Effect.as(Deferred.succeed(dismissed, why), true)
        })
        return Effect.map(
          unlessProbing(goIfSettled),
          Option.getOrElse(() => false)
        )
      }),
    presence: () => {
      const { refusal, until } = sentAway.standing()
      const state = presenceOf(journal.state())
      return {
        ...state,
        connectedSince: state.isConnected ? Option.some(connectedSince) : Option.none(),
        failedVisits,
        notDialled,
        leftAloneUntil: until,
        refusal
      }
    },
    view: () => (journal.hasBegun() ? Option.some(viewOf(journal.state())) : Option.none()),
    review: Effect.flatMap(Clock.currentTimeMillis, (now) =>
      reviewed(journal.state(), now, options.verdictWindow) === journal.state()
        ? Effect.void
        : Effect.asVoid(journal.enter({ change: (state) => reviewed(state, now, options.verdictWindow) }))
    ),
    connectionUp: Effect.sync(() => link.set(true)),
    connectionDown: (goodbye) =>
      Effect.zipRight(
        sentAway.left(goodbye),
        Effect.suspend(() =>
          journal.state().connected
            ? disconnected(
                Option.match(goodbye, { onNone: () => "connection closed", onSome: (code) => `Goodbye ${code}` }),
                Option.map(goodbye, (code) => goodbyeRefusal(code))
              )
            : Effect.sync(() => link.set(false))
        )
      ),
    moved: (address) =>
      Effect.suspend(() => {
        const next = withAddress(journal.state(), address)
        if (next === journal.state()) return Effect.void
        return journal.enter({
          change: (state) => withAddress(state, address),
          events: (state) =>
            journal.hasBegun() ? [tracking(state, "address", state.address.multiaddrs.join(", "))] : [],
          also: () => newAddress.unsafeOpen()
        })
      }),
    hurry: newAddress.open,
    known: journal.state,
    note: yield* makeNoteFinding(journal),
    probe: (job) =>
      Effect.suspend(() => {
        if (!journal.state().connected) return new NotConnected({ peerId })
        if (Option.exists(job, (wanted) => wanted.peerId !== peerId)) {
          return new NothingToAsk({ peerId, reason: "the job is of another peer" })
        }
        if (Option.isSome(journal.state().nodeId)) return onDemand.wait(job)
        return new NothingToAsk({
          peerId,
          reason: "its peer id does not hold the key that its columns follow from"
        })
      }),
    ask: (question) =>
      Effect.suspend(() => (journal.state().connected ? questions.wait(question) : new NotConnected({ peerId }))),
    live: Effect.raceFirst(live, Deferred.await(dismissed))
  }
  return actor
})

/** A peer whose handlers are not registered yet is asked again after seconds; in all some two minutes. */
const startingSchedule = Schedule.exponential("3 seconds", 1.7).pipe(Schedule.union(Schedule.spaced("5 minutes")))

/** From twice the test interval, doubling, up to five minutes; always a little late, never early. */
const backOffSchedule = (testInterval: Duration.Duration) =>
  Schedule.exponential(Duration.times(testInterval, 2), 2).pipe(
    Schedule.union(Schedule.spaced("5 minutes")),
    Schedule.jitteredWith({ min: 1, max: 1.2 }),
    Schedule.delays
  )

/** A database that cannot be read is asked again for as long as it takes. */
const readAgain = Schedule.exponential("200 millis").pipe(
  Schedule.union(Schedule.spaced("30 seconds")),
  Schedule.jittered
)
