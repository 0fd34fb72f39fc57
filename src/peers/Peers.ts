import { Cause, Clock, Context, Effect, Fiber, FiberMap, Layer, Option, Schedule, Stream } from "effect"
import { dropOldest } from "../domain/Bounded.ts"
import { toHex } from "../domain/Bytes.ts"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { PeerId } from "../domain/Primitives.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { Job, Probe } from "../domain/probe/Job.ts"
import { type NotProbed, TooManyWaiting, UnknownPeer } from "../domain/probe/ProbeNow.ts"
import { EventBus } from "../events/EventBus.ts"
import { type ConnectedPeer, Host, type HostEvent } from "../host/Host.ts"
import { ProbeTotals } from "../probe/ProbeTotals.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import { daemon } from "../runtime/Daemon.ts"
import { goodbyeCodes } from "../wire/Refusal.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { makeSentAwayPeers, worstPeer } from "./BadScores.ts"
import { Crowd } from "./Crowd.ts"
import { makeStrangerBudget, roomFor, type Tracked } from "./MakeRoom.ts"
import { type KnownPeer, makePeerActor, type PeerActor, type PeerActorOptions, type PeerEnd } from "./PeerActor.ts"
import type { Asked, ColumnQuestion } from "./Questions.ts"
import type { Presence } from "./Presence.ts"

export interface PeersOptions extends PeerActorOptions {
  /** Peers to dial, and to dial again whenever they leave. */
  readonly addresses: ReadonlyArray<PeerAddress>
  /** The same, and relied on: asked first. */
  readonly providers: ReadonlyArray<PeerAddress>
  /** Peers known at once, at most, but for those of the configuration; later ones are passed over, and counted. */
  readonly maxPeers: number
  /** Peers whose score falls below it are sent away, but for those of the configuration; none for nobody. */
  readonly disconnectBelow: Option.Option<number>
}

/** A peer that is tracked, as it is with us. */
export interface TrackedPeer extends Presence {
  readonly peerId: PeerId
  /** Of the configuration, or a provider: it is never sent away. */
  readonly isConfigured: boolean
}

/** Starts an actor for every peer, passes on to it what is heard of the peer, and starts it again when it dies. */
export class Peers extends Context.Tag("dasmon/Peers")<
  Peers,
  {
    /**
     * Starts an actor for the peer, unless we are that ourselves, the filter is against it or there are too many. One that is
     * tracked already is told its new address.
     */
    readonly track: (address: PeerAddress) => Effect.Effect<void>
    /**
     * The peer is to go, so that others have their turn: from now on it is only asked what settles something, and goes,
     * with a Goodbye, as soon as nothing is open and nobody waits for it; never in the middle of a probe, and with an
     * open suspicion only with `evenIfSuspected`. Gives whether it went, or is not tracked; ask again where it did not.
     */
    readonly rest: (peerId: PeerId, evenIfSuspected?: boolean) => Effect.Effect<boolean>
    /**
     * A tracked peer that could not be reached is dialled again now, and not only at its next turn; one that wants to be
     * left alone is, all the same.
     */
    readonly hurry: (peerId: PeerId) => Effect.Effect<void>
    /** Whether the peer was sent away for its score, and is not to come back yet; it is not tracked meanwhile. */
    readonly isSentAway: (peerId: PeerId, now: number) => boolean
    /** How all that are tracked are with us. */
    readonly tracked: Effect.Effect<ReadonlyArray<TrackedPeer>>
    /** All peers that are tracked; in a step of the event bus, as they are at that very moment. */
    readonly views: () => ReadonlyArray<PeerView>
    /** None for a peer that is not tracked. */
    readonly view: (peerId: PeerId) => Option.Option<PeerView>
    /** What is known of a tracked peer, for whoever asks it something else; none for one that is not tracked. */
    readonly known: (peerId: PeerId) => Option.Option<KnownPeer>
    /** Something odd was found out about a peer; nothing happens for one that is not tracked any more. */
    readonly note: (peerId: PeerId, finding: Finding) => Effect.Effect<void>
    /** Peers that were passed over because there were too many, and are not tracked since. */
    readonly passedOver: () => number
    /**
     * The peer's next probe, which its actor makes as soon as the budgets of all probes allow: of this job, or of
     * whatever it chooses.
     */
    readonly probe: (peerId: PeerId, job?: Job) => Effect.Effect<Probe, NotProbed>
    /**
     * Asks a connected peer by root for those columns of a slot that it claims, as soon as its client's limits and the
     * budgets of all probes allow, and not only at its next test: see `ColumnQuestion`. It is recorded as every probe is. What
     * is absent of a slot within the margin of the head is `unverifiable`, and nobody's fault.
     */
    readonly ask: (peerId: PeerId, question: ColumnQuestion) => Effect.Effect<Asked, NotProbed>
    /** Ends all actors: no peer is asked anything any more, and what was asked is told and recorded, or not at all. */
    readonly halt: Effect.Effect<void>
  }
>() {
  static readonly layer = (options: PeersOptions) => Layer.provide(Layer.scoped(Peers, make(options)), Crowd.layer)
}

const make = Effect.fn("Peers.make")(function* (options: PeersOptions) {
  const host = yield* Host
  const sampler = yield* Sampler
  const bus = yield* EventBus
  const totals = yield* ProbeTotals
  const workers = yield* ProbeWorkers
  const actors = new Map<string, PeerActor>()
  const providers: ReadonlySet<string> = new Set(options.providers.map(({ peerId }) => peerId))
  const kept = [...options.providers, ...options.addresses.filter(({ peerId }) => !providers.has(peerId))]
  const configured: ReadonlySet<string> = new Set(kept.map(({ peerId }) => peerId))
  const leaving = new Set<string>()
  const strangers = makeStrangerBudget()
  const sentAway = makeSentAwayPeers()
  const doubts = yield* Doubts
  const passedOver = new Set<string>()
  let isHalted = false
  const fibers = yield* FiberMap.make<string>()
  const context = yield* Effect.context<Effect.Effect.Context<ReturnType<typeof makePeerActor>>>()

  /** Started again by itself, for as long as it takes; a defect of one never reaches another. */
  const supervised = (actor: PeerActor) =>
    actor.live.pipe(
      Effect.tapErrorCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.void
          : Effect.zipRight(totals.defect, Effect.logError("a peer's actor died and is started again", cause))
      ),
      Effect.sandbox,
      Effect.retry({ schedule: restarts, while: (cause) => !Cause.isInterruptedOnly(cause) }),
      Effect.orDie,
      Effect.flatMap((end) => forget(actor, end)),
      Effect.annotateLogs({ peer: actor.peerId })
    )

  const forget = (actor: PeerActor, detail: PeerEnd) =>
    Effect.zipRight(
      bus.inOneStep(({ tell }) => {
        const { peerId } = actor
        actors.delete(peerId)
        leaving.delete(peerId)
        const peer = Option.getOrUndefined(actor.view())
        if (peer !== undefined) tell({ _tag: "NodeTracking", peerId, change: "forgotten", detail, peer })
      }),
      Effect.zipRight(sampler.unload(actor.peerId), goodbye(actor.peerId, detail))
    )

  /** Its connection is a place too; one that is gone has none. */
  const goodbye = (peerId: string, why: PeerEnd): Effect.Effect<void> => {
    switch (why) {
      case "made room for others":
      case "others have their turn":
        return host.disconnect(peerId, goodbyeCodes.tooManyPeers)
      case "its score is too low":
        return host.disconnect(peerId, goodbyeCodes.badScore)
      case "did not come back":
      case "left out by node_filter":
        return Effect.void
    }
  }

  const passOver = (peerId: string) =>
    Effect.suspend(() => {
      const isFirst = passedOver.size === 0
      passedOver.add(peerId)
      dropOldest(passedOver, mostPassedOver)
      return isFirst
        ? Effect.logWarning(
            `more peers come than are taken up: ${actors.size} are tracked, of ${options.maxPeers} at most; others are passed over`
          )
        : Effect.void
    })

  const candidates = function* (): Iterable<Tracked> {
    for (const [peerId, actor] of actors) {
      if (!leaving.has(peerId)) yield { peerId, isConfigured: configured.has(peerId), ...actor.standing() }
    }
  }

  /** Gives whether a peer that is new has room; `isStranger`: it came by itself. */
  const makeRoom = Effect.fnUntraced(function* (peerId: string, isStranger: boolean) {
    if (configured.has(peerId)) return true
    const now = yield* Clock.currentTimeMillis
    const { goes, hasRoom } = roomFor(candidates(), { maxPeers: options.maxPeers, now })
    if (!hasRoom || (isStranger && !strangers.take(now))) return false
    if (goes !== undefined) {
      leaving.add(goes)
      yield* actors.get(goes)?.dismiss ?? Effect.void
    }
    return true
  })

  const track = Effect.fnUntraced(function* (address: PeerAddress, connected?: ConnectedPeer, wasHere = false) {
    const { peerId } = address
    const nodeId = Option.map(Option.getRight(nodeIdOfPeerId(peerId)), toHex)
    const agent = Option.flatMap(Option.fromNullable(connected), (peer) => peer.agent)
    // Our own record comes by too, by discovery and by whoever copies all that he has into a list.
    if (isHalted || peerId === host.peerId || !options.allows({ peerId, nodeId, agent })) return
    if (sentAway.isAway(peerId, yield* Clock.currentTimeMillis)) {
      if (connected !== undefined) yield* host.disconnect(peerId, goodbyeCodes.badScore)
      return
    }
    if (!actors.has(peerId)) {
      if (!(yield* makeRoom(peerId, connected !== undefined && !wasHere))) return yield* passOver(peerId)
      const made = yield* Effect.provide(
        makePeerActor(address, { ...options, isProvider: providers.has(peerId) }),
        context
      )
      if (!actors.has(peerId)) {
        actors.set(peerId, made)
        passedOver.delete(peerId)
        if (connected !== undefined) yield* made.connectionUp
        return yield* FiberMap.run(fibers, peerId, supervised(made))
      }
    }
    const actor = actors.get(peerId)
    if (actor === undefined) return
    yield* actor.moved(address)
    if (connected !== undefined) yield* actor.connectionUp
  })

  const cameToUs = (peer: ConnectedPeer, wasHere = false) =>
    track({ peerId: peer.peerId, multiaddrs: [], enrCustodyGroupCount: Option.none() }, peer, wasHere)

  const hear = (event: HostEvent): Effect.Effect<unknown> =>
    event._tag === "Connected"
      ? cameToUs(event.peer)
      : (actors.get(event.peerId)?.connectionDown(event.goodbye) ?? Effect.void)

  const tracked = Effect.sync(() =>
    Array.from(actors, ([peerId, actor]): TrackedPeer => ({
      peerId,
      isConfigured: configured.has(peerId),
      ...actor.presence()
    }))
  )

  const sendAway = (disconnectBelow: number) =>
    Effect.gen(function* () {
      const worst = worstPeer(yield* tracked, disconnectBelow)
      const actor = worst === undefined ? undefined : actors.get(worst)
      if (actor === undefined || Option.isSome(yield* doubts.forbids)) return
      // In the middle of a probe it stays until the next look.
      if (!(yield* actor.rest(true, "its score is too low"))) return
      sentAway.add(actor.peerId, yield* Clock.currentTimeMillis)
    })

  const isFollowing = yield* Effect.makeLatch(false)
  /** Whoever was connected before anyone listened is heard of too, and whoever left unheard is gone. */
  const follow = Effect.gen(function* () {
    const events = yield* host.events
    const connected = yield* host.connected
    const present = new Set(connected.map(({ peerId }) => peerId))
    yield* Effect.forEach(connected, (peer) => cameToUs(peer, true), { discard: true })
    yield* Effect.forEach(
      actors.values(),
      (actor) => (present.has(actor.peerId) ? Effect.void : actor.connectionDown(Option.none())),
      { discard: true }
    )
    yield* isFollowing.open
    yield* Stream.runForEach(events, hear)
    return yield* Effect.dieMessage("the host does not tell any more of peers that come and go")
  }).pipe(Effect.scoped)

  const following = yield* daemon("the watch over peers that come and go", follow)
  // A verdict heals with time too, also that of a peer that is not there.
  yield* daemon(
    "review of verdicts",
    Effect.suspend(() => Effect.forEach([...actors.values()], ({ review }) => review, { discard: true })),
    Schedule.spaced("1 minute")
  )
  // Whoever was passed over and has stayed is taken up when there is room: a flood does not stay.
  const lookAgain = Effect.gen(function* () {
    if (passedOver.size === 0) return
    const waiting = (yield* host.connected).filter(({ peerId }) => passedOver.has(peerId) && !actors.has(peerId))
    yield* Effect.forEach(waiting, (peer) => cameToUs(peer), { discard: true })
  })
  yield* daemon("another look at peers that were passed over", lookAgain, Schedule.spaced("10 seconds"))
  if (Option.isSome(options.disconnectBelow)) {
    yield* daemon("sending away of bad peers", sendAway(options.disconnectBelow.value), Schedule.spaced("10 seconds"))
  }
  yield* Effect.timeoutOption(isFollowing.await, "5 seconds")
  yield* Effect.forEach(kept, (address) => track(address), { discard: true })

  let waiting = 0
  const probe = (peerId: string, job?: Job) =>
    Effect.suspend((): Effect.Effect<Probe, NotProbed> => {
      const actor = actors.get(peerId)
      if (actor === undefined) return new UnknownPeer({ peerId })
      if (waiting >= maxWaiting) return new TooManyWaiting({ limit: maxWaiting, retryAfterSeconds: 1 })
      return Effect.acquireUseRelease(
        Effect.sync(() => waiting++),
        () => actor.probe(Option.fromNullable(job)),
        () => Effect.sync(() => waiting--)
      )
    })

  let asking = 0
  const ask = (peerId: string, question: ColumnQuestion) =>
    Effect.suspend((): Effect.Effect<Asked, NotProbed> => {
      const actor = actors.get(peerId)
      if (actor === undefined) return new UnknownPeer({ peerId })
      if (asking >= maxAsking) return new TooManyWaiting({ limit: maxAsking, retryAfterSeconds: 1 })
      return Effect.acquireUseRelease(
        Effect.sync(() => asking++),
        () => actor.ask(question),
        () => Effect.sync(() => asking--)
      )
    })

  return Peers.of({
    track: (address) => Effect.asVoid(track(address)),
    rest: (peerId, evenIfSuspected = false) =>
      Effect.suspend(() =>
        configured.has(peerId)
          ? Effect.succeed(false)
          : (actors.get(peerId)?.rest(evenIfSuspected) ?? Effect.succeed(true))
      ),
    tracked,
    views: () => [...actors.values()].flatMap((actor) => Option.toArray(actor.view())),
    view: (peerId) => Option.flatMap(Option.fromNullable(actors.get(peerId)), (actor) => actor.view()),
    known: (peerId) => Option.map(Option.fromNullable(actors.get(peerId)), (actor) => actor.known()),
    note: (peerId, finding) => actors.get(peerId)?.note(finding) ?? Effect.void,
    hurry: (peerId) => actors.get(peerId)?.hurry ?? Effect.void,
    isSentAway: sentAway.isAway,
    passedOver: () => passedOver.size,
    probe,
    ask,
    halt: Effect.gen(function* () {
      isHalted = true
      yield* workers.close
      yield* Fiber.interrupt(following)
      // All at once: one after the other, each would begin what the one before it made room for.
      yield* Fiber.interruptAll(Array.from(fibers, ([, fiber]) => fiber))
    })
  })
})

/** Callers that wait for a probe at once, over all peers. */
const maxWaiting = 64
/** Questions for columns that wait at once, over all peers. */
const maxAsking = 1024
/** Of peers that were passed over so many are told apart. */
const mostPassedOver = 65_536

/** A peer whose actor died waits a little longer each time, up to a minute; one that lived for a while starts anew. */
const restarts = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("1 minute")),
  Schedule.jittered,
  Schedule.resetAfter("5 minutes")
)
