import { Cause, Context, Effect, Fiber, FiberMap, Layer, Option, Ref, Schedule, Stream, SubscriptionRef } from "effect"
import { toHex } from "../domain/Bytes.ts"
import { slotAt } from "../domain/network/Chain.ts"
import { extendClaims, startClaims } from "../domain/peer/ClaimHistory.ts"
import { coverageView } from "../domain/probe/Confidence.ts"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import type { Probe } from "../domain/probe/Job.ts"
import { NotConnected, NothingToAsk, type NotProbed, TooManyWaiting, UnknownPeer } from "../domain/probe/ProbeNow.ts"
import type { PeerAddress, PeerView } from "../domain/peer/Peer.ts"
import { recentConversations } from "../domain/peer/Verdict.ts"
import { EventBus } from "../events/EventBus.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { type ConnectedPeer, Host, type HostEvent } from "../host/Host.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { live, type PeerActorOptions } from "./PeerActor.ts"
import { makeEntry, type PeerEntry } from "./PeerEntry.ts"
import { viewOf, withConnection } from "./PeerState.ts"
import { Tally } from "../probe/ProbeTotals.ts"

export interface PeersOptions extends PeerActorOptions {
  /** Peers to dial, and to dial again whenever they leave. */
  readonly addresses: ReadonlyArray<PeerAddress>
  /** Peers known at once, at most; later ones are passed over. */
  readonly maxPeers: number
}

/** The supervisor: one actor per peer, each restarted by itself when it dies of a defect. */
export class Peers extends Context.Tag("dasmon/Peers")<
  Peers,
  {
    /** Starts an actor for the peer, unless it has one or the filter is against it. */
    readonly track: (address: PeerAddress) => Effect.Effect<void>
    readonly views: Effect.Effect<ReadonlyArray<PeerView>>
    /** None for a peer that is not tracked. */
    readonly view: (peerId: string) => Effect.Effect<Option.Option<PeerView>>
    /** The peer's next probe, which its actor makes as soon as the budgets of all probes allow. */
    readonly probeNow: (peerId: string) => Effect.Effect<Probe, NotProbed>
    /** Ends all actors: no peer is asked anything any more, and what was asked is recorded and told, or not at all. */
    readonly halt: Effect.Effect<void>
    /** Whether peers that come and go are still heard of. */
    readonly alive: Effect.Effect<boolean>
  }
>() {
  static readonly layer = (options: PeersOptions) => Layer.scoped(Peers, make(options))
}

const make = Effect.fn("Peers.make")(function* (options: PeersOptions) {
  const { chain } = yield* Externs
  const host = yield* Host
  const history = yield* History
  const sampler = yield* Sampler
  const bus = yield* EventBus
  const tally = yield* Tally
  const entries = new Map<string, PeerEntry>()
  const actors = yield* FiberMap.make<string>()
  const runActor = yield* FiberMap.runtime(actors)<Effect.Effect.Context<ReturnType<typeof live>>>()

  /** What the history knows is loaded by the actor itself, so that ten thousand peers do not hold up the start. */
  const remember = (entry: PeerEntry) =>
    Effect.gen(function* () {
      const { peerId } = entry.address
      const [known, claims] = yield* Effect.all([history.peer(peerId), history.claims(peerId)])
      yield* Ref.update(entry.state, (state) => ({
        ...state,
        ...known,
        conversations: recentConversations(known.conversations),
        coverage: Option.map(known.coverage, coverageView),
        claims: pastClaims(claims)
      }))
    }).pipe(Effect.retry(loadAgain), Effect.orDie)

  const pastClaims = (claims: ReadonlyArray<Parameters<typeof startClaims>[0]>) => {
    const [first, ...later] = claims
    return first === undefined
      ? Option.none()
      : Option.some(
          later.reduce((past, claim) => extendClaims(past, claim, slotAt(chain, claim.observedAt)), startClaims(first))
        )
  }

  const supervised = (entry: PeerEntry) =>
    remember(entry).pipe(
      restarted,
      Effect.zipRight(restarted(live(entry, options))),
      Effect.flatMap((end) => forget(entry, end)),
      Effect.annotateLogs({ peer: entry.address.peerId })
    )

  /** Started again by itself, for as long as it takes; a defect of one never reaches another. */
  const restarted = <A, E, R>(actor: Effect.Effect<A, E, R>) =>
    actor.pipe(
      Effect.tapErrorCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.void
          : Effect.zipRight(tally.defect, Effect.logError("a peer's actor died and is started again", cause))
      ),
      Effect.sandbox,
      Effect.retry({ schedule: restart, while: (cause) => !Cause.isInterruptedOnly(cause) }),
      Effect.orDie
    )

  const forget = (entry: PeerEntry, detail: string) =>
    Effect.gen(function* () {
      const { peerId } = entry.address
      entries.delete(peerId)
      yield* sampler.unload(peerId)
      const peer = viewOf(yield* Ref.get(entry.state))
      yield* bus.publish({ _tag: "NodeTracking", peerId, change: "forgotten", detail, peer })
    })

  const start = (address: PeerAddress, connected: ConnectedPeer | undefined) =>
    Effect.gen(function* () {
      const { peerId } = address
      if (entries.has(peerId) || entries.size >= options.maxPeers) return
      const entry = yield* makeEntry(address)
      entries.set(peerId, entry)
      if (connected !== undefined) yield* arrived(entry, connected)
      const state = yield* Ref.get(entry.state)
      yield* bus.publish({
        _tag: "NodeTracking",
        peerId,
        change: "tracked",
        detail: address.multiaddrs[0] ?? "came to us",
        peer: viewOf(state)
      })
      runActor(peerId, supervised(entry))
    })

  const track = (address: PeerAddress, connected?: ConnectedPeer) =>
    Effect.gen(function* () {
      const nodeId = Option.getOrUndefined(Option.map(Option.getRight(nodeIdOfPeerId(address.peerId)), toHex))
      if (!options.allows({ peerId: address.peerId, nodeId, agent: connected?.agent })) return
      yield* start(address, connected)
    })

  const arrived = (entry: PeerEntry, peer: ConnectedPeer) =>
    Effect.zipRight(
      Ref.update(entry.state, (state) => withConnection(state, peer)),
      SubscriptionRef.set(entry.link, true)
    )

  const follow = (event: HostEvent) =>
    Effect.gen(function* () {
      if (event._tag === "Connected") {
        const entry = entries.get(event.peer.peerId)
        if (entry !== undefined) return yield* arrived(entry, event.peer)
        const { peerId } = event.peer
        return yield* track({ peerId, multiaddrs: [], enrCustodyGroupCount: Option.none() }, event.peer)
      }
      const entry = entries.get(event.peerId)
      if (entry === undefined) return
      const state = yield* Ref.updateAndGet(entry.state, (state) => ({ ...state, connected: false }))
      yield* SubscriptionRef.set(entry.link, false)
      const detail = event.goodbye === undefined ? "connection closed" : `Goodbye ${event.goodbye}`
      yield* bus.publish({
        _tag: "NodeTracking",
        peerId: event.peerId,
        change: "disconnected",
        detail,
        peer: viewOf(state)
      })
    })

  const events = yield* host.events
  const following = yield* Effect.forkScoped(Stream.runForEach(events, follow))
  yield* Effect.forEach(options.addresses, (address) => track(address), { discard: true })

  const waiting = { callers: 0 }
  const probeNow = Effect.fn("Peers.probeNow")(function* (peerId: string) {
    const entry = entries.get(peerId)
    if (entry === undefined) return yield* new UnknownPeer({ peerId })
    if (!(yield* entry.link.get)) return yield* new NotConnected({ peerId })
    if (Option.isNone((yield* Ref.get(entry.state)).nodeId)) {
      return yield* new NothingToAsk({
        peerId,
        reason: "its peer id does not hold the key that its columns follow from"
      })
    }
    if (waiting.callers >= maxWaiting) return yield* new TooManyWaiting({ limit: maxWaiting, retryAfterSeconds: 1 })
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => waiting.callers++),
      () => entry.demand.next,
      () => Effect.sync(() => waiting.callers--)
    )
  })

  return Peers.of({
    track: (address) => track(address),
    views: Effect.suspend(() =>
      Effect.forEach([...entries.values()], ({ state }) => Effect.map(Ref.get(state), viewOf))
    ),
    view: (peerId) =>
      Effect.suspend(() =>
        Effect.transposeMapOption(Option.fromNullable(entries.get(peerId)), ({ state }) =>
          Effect.map(Ref.get(state), viewOf)
        )
      ),
    probeNow,
    halt: Effect.zipRight(Fiber.interrupt(following), FiberMap.clear(actors)),
    alive: Effect.map(Fiber.poll(following), Option.isNone)
  })
})

/** Callers that wait for a probe at once, over all peers. */
const maxWaiting = 64

/** A peer whose actor died waits a little longer each time, up to a minute. */
const restart = Schedule.exponential("1 second").pipe(Schedule.union(Schedule.spaced("1 minute")), Schedule.jittered)

/** The database may be busy when a peer comes; after half a minute of failure it is a defect, and the actor restarts. */
const loadAgain = Schedule.exponential("200 millis").pipe(Schedule.intersect(Schedule.recurs(7)))
