import { Clock, Context, Duration, Effect, Layer, Option, Random, Schedule, Stream } from "effect"
import { setNewest } from "../../domain/Bounded.ts"
import type { AuditProgress } from "../../domain/peer/AuditProgress.ts"
import { noProgress } from "../../domain/peer/AuditProgress.ts"
import type { PeerAddress } from "../../domain/peer/PeerAddress.ts"
import { numberOfCustodyGroups } from "../../domain/network/Chain.ts"
import type { PeerId, Slot } from "../../domain/Primitives.ts"
import { AddressBook } from "../../discovery/book/AddressBook.ts"
import { type BookEntry, isReachedSinceTried } from "../../discovery/book/BookEntry.ts"
import { makeShelf } from "../../discovery/book/Shelf.ts"
import { Discovery, type NodeFound } from "../../discovery/Discovery.ts"
import { EventBus } from "../../events/EventBus.ts"
import { daemon } from "../../runtime/Daemon.ts"
import type { PeerActorOptions } from "../PeerActor.ts"
import { Peers, type TrackedPeer } from "../Peers.ts"
import { makeAddressBackOff } from "./AddressBackOff.ts"
import { makeAuditRound } from "./AuditRound.ts"
import { addressesToDial, candidatesOf } from "./Candidates.ts"
import { chooseGuests } from "./ChooseGuests.ts"
import { choosePeers } from "./ChoosePeers.ts"
import { makeColumnDemand } from "./ColumnDemand.ts"
import { columnSet, inCommon } from "./ColumnSet.ts"
import { keepBook } from "./KeepBook.ts"
import { memberOf, outcomeOf } from "./Members.ts"
import { makePrepare } from "./Prepared.ts"
import { afterVisit, type VisitEnd, visitPace } from "./Visit.ts"

export interface PeerSetOptions extends Pick<PeerActorOptions, "allows" | "testInterval" | "verdictWindow"> {
  /** Peers of the configuration, which are tracked whatever the set is. */
  readonly addresses: ReadonlyArray<PeerAddress>
  /** Peers that are to be connected at once. */
  readonly targetPeers: number
  /** Connected peers that are to hold each column. */
  readonly peersPerColumn: number
}

/** Columns of a slot that nobody can be asked for who is connected. */
export interface ColumnsWanted {
  readonly slot: Slot
  readonly columns: ReadonlyArray<number>
  /** Peers that are to be dialled, at most. */
  readonly most: number
}

/** Who is being dialled, and whether there are more who owe some of it. */
export interface Brought {
  readonly dialled: ReadonlyArray<PeerId>
  readonly areMore: boolean
}

/**
 * Which of all peers we are connected to: what discovery finds goes into the address book, and from there those are
 * tracked, for a while, who bring the columns that are needed, and in the end all that can be reached. Peers of the
 * configuration, and those that come to us, are not its business.
 */
export class PeerSet extends Context.Tag("dasmon/PeerSet")<
  PeerSet,
  {
    /** As of the last look, at most some seconds ago. */
    readonly progress: () => AuditProgress
    /**
     * Has others dialled of whom somebody wants columns of a slot, now: tracked peers that could not be reached, and peers
     * of the address book, who owe any of them by their node id; supernodes first. The set bears some more of them than its
     * target, within its bounds on dials, addresses and rests, and lets go of them as of all others.
     */
    readonly bring: (wanted: ColumnsWanted) => Effect.Effect<Brought>
    /** Nodes that are known to keep all columns: by what they claimed, or else by their ENR. */
    readonly supernodes: () => ReadonlyArray<BookEntry>
  }
>() {
  /** Without an address book around it, one that ends with the program; without discovery, whoever is in the book. */
  static readonly layer = (options: PeerSetOptions) => Layer.scoped(PeerSet, make(options))
}

const make = Effect.fn("PeerSet.make")(function* (options: PeerSetOptions) {
  const peers = yield* Peers
  const bus = yield* EventBus
  const book = Option.getOrElse(yield* Effect.serviceOption(AddressBook), () => makeShelf().book)
  const discovery = yield* Effect.serviceOption(Discovery)
  const round = makeAuditRound(yield* Clock.currentTimeMillis, options.verdictWindow)
  const demand = makeColumnDemand(options.peersPerColumn)
  const backOff = makeAddressBackOff()
  const prepare = makePrepare()
  const pace = visitPace(options.testInterval)
  const keep = keepBook(book, round)
  /** Those that the set has had tracked, since when, and whether they were asked to go. */
  const chosen = new Map<PeerId, Chosen>()
  const given = new Map(options.addresses.map((address) => [address.peerId, address]))
  /** Tracked peers that were dialled before their time, and when. */
  const hurriedAt = new Map<PeerId, number>()
  /** A look at the set and a call for others take turns. */
  const turn = yield* Effect.makeSemaphore(1)
  let progress = noProgress

  const end = (peerId: PeerId, visitEnd: VisitEnd) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const entry = book.entries().get(peerId)
      const dialled = chosen.get(peerId)?.dialled ?? []
      chosen.delete(peerId)
      if (entry === undefined) return
      if (isReachedSinceTried(entry)) backOff.reached(dialled)
      else if (!visitEnd.isOurs) backOff.failed(dialled, now)
      yield* book.note(peerId, afterVisit(entry, visitEnd, now, yield* Random.next))
    })

  /** Has the peer go; it is gone, or is asked again at the next look. */
  const rest = (peerId: PeerId, visitEnd: VisitEnd, evenIfSuspected: boolean) =>
    Effect.gen(function* () {
      const known = chosen.get(peerId)
      if (known !== undefined) chosen.set(peerId, { ...known, isLeaving: true })
      if (yield* peers.rest(peerId, evenIfSuspected)) yield* end(peerId, visitEnd)
    })

  const dial = (peerId: PeerId, now: number) =>
    Effect.gen(function* () {
      const entry = book.entries().get(peerId)
      if (entry === undefined) return
      const multiaddrs = addressesToDial(entry, backOff, now)
      chosen.set(peerId, { since: now, dialled: multiaddrs, isLeaving: false })
      yield* book.note(peerId, { triedAt: Option.some(now) })
      yield* peers.track({ peerId, multiaddrs, enrCustodyGroupCount: entry.enrCustodyGroupCount })
    })

  /** Whoever is not with us any more, or came to nothing, is let go; gives those that are still there. */
  const settle = (tracked: ReadonlyArray<TrackedPeer>, now: number) =>
    Effect.gen(function* () {
      const present = new Map(tracked.map((peer) => [peer.peerId, peer]))
      // Then who is away keeps nobody from a place: it is waited for, as those of the configuration are.
      const hasRoomForAll = book.entries().size <= options.targetPeers
      for (const [peerId, { isLeaving, since }] of chosen) {
        const peer = present.get(peerId)
        if (peer === undefined) {
          // Its actor ended by itself, or there was no room for it.
          if (now - since >= beginMs) yield* end(peerId, goneByItself)
          continue
        }
        const outcome = outcomeOf(peer, since, now)
        const isOver = outcome.isOver && !hasRoomForAll && (peer.isSettled || outcome.isGivenUp)
        if (isLeaving || isOver) yield* rest(peerId, outcome, outcome.isGivenUp)
      }
    })

  /** The tracked peers, and those of these entries that could be dialled now. */
  const around = (tracked: ReadonlyArray<TrackedPeer>, entries: Iterable<BookEntry>, now: number) => {
    const isTracked = new Set(tracked.map(({ peerId }) => peerId))
    return {
      members: tracked.map((peer) => memberOf(peer, chosen.get(peer.peerId), book, prepare, pace, now)),
      candidates: candidatesOf(entries, {
        now,
        allows: options.allows,
        backOff,
        prepare,
        isTracked: (peerId) => isTracked.has(peerId) || chosen.has(peerId) || peers.isSentAway(peerId, now)
      })
    }
  }

  const bring = Effect.fn("PeerSet.bring")(function* ({ columns: wanted, most, slot }: ColumnsWanted) {
    const now = yield* Clock.currentTimeMillis
    const columns = columnSet(wanted)
    const tracked = yield* peers.tracked
    const holding = Array.from(book.entries().values()).filter((entry) => mayHold(entry, slot))
    const { candidates, members } = around(tracked, holding, now)
    const awaited: Array<PeerId> = []
    for (const [index, peer] of tracked.entries()) {
      const { peerId } = peer
      const owed = members[index]?.columns
      if (awaited.length >= most || !isUnreached(peer, now) || owed === undefined || inCommon(owed, columns) === 0)
        continue
      if (now - (hurriedAt.get(peerId) ?? -Infinity) < hurryEveryMs) continue
      setNewest(hurriedAt, peerId, now, mostHurried)
      yield* peers.hurry(peerId)
      awaited.push(peerId)
    }
    const { areMore, dial: guests } = chooseGuests(members, candidates, {
      columns,
      dialsAtOnce,
      most: most - awaited.length,
      mostGuests,
      target: options.targetPeers
    })
    yield* Effect.forEach(guests, (peerId) => dial(peerId, now), { discard: true })
    return { dialled: [...awaited, ...guests], areMore }
  }, turn.withPermits(1))

  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* keep(yield* peers.tracked, now)
    yield* settle(yield* peers.tracked, now)
    const tracked = yield* peers.tracked
    const { candidates, members } = around(tracked, book.entries().values(), now)
    const limits = { target: options.targetPeers, demand: demand.at(now), dialsAtOnce }
    const choice = choosePeers(members, candidates, limits)
    for (const peer of tracked) {
      if (!choice.rest.includes(peer.peerId)) continue
      yield* rest(peer.peerId, outcomeOf(peer, now, now), false)
    }
    yield* Effect.forEach(choice.dial, (peerId) => dial(peerId, now), { discard: true })
    const connected = new Set(tracked.filter(({ isConnected }) => isConnected).map(({ peerId }) => peerId))
    progress = {
      ...round.progress(book.entries().values(), (peerId) => connected.has(peerId), now),
      columnsLacking: choice.lacking.length
    }
  }).pipe(turn.withPermits(1))

  /** Whoever is tracked because of the configuration may have moved: it is looked for at its newest address too. */
  const hear = (node: NodeFound) =>
    Effect.gen(function* () {
      const { peerId } = node.address
      const before = book.entries().get(peerId)
      yield* book.hear(node)
      const configured = given.get(peerId)
      const after = book.entries().get(peerId)
      if (configured === undefined || after === undefined || !isNewer(before, after)) return
      const multiaddrs = [...new Set([...after.multiaddrs, ...configured.multiaddrs])]
      yield* peers.track({ peerId, multiaddrs, enrCustodyGroupCount: after.enrCustodyGroupCount })
    })

  yield* Effect.forEach(options.addresses, (address) => book.hear({ address, source: "config" }), { discard: true })
  if (Option.isSome(discovery)) {
    const found = Stream.runForEach(discovery.value.found, hear)
    yield* daemon("taking down what discovery finds", Effect.zipRight(found, Effect.never))
  }
  const events = yield* bus.subscribe
  const samplings = Stream.runForEach(events, (event) =>
    Effect.sync(() => {
      if (event._tag === "Sampling") demand.hear(event.probe.outcomes, event.timestamp)
    })
  )
  yield* daemon("the watch for columns that cannot be had", samplings)
  yield* daemon("the choice of peers", look, Schedule.spaced(Duration.millis(lookMs)))

  return PeerSet.of({
    progress: () => progress,
    bring,
    supernodes: () => [...book.entries().values()].filter(isSupernode)
  })
})

const isSupernode = ({ claim, enrCustodyGroupCount }: BookEntry): boolean =>
  Option.contains(
    Option.orElse(
      Option.map(claim, ({ groupCount }) => groupCount),
      () => enrCustodyGroupCount
    ),
    numberOfCustodyGroups
  )

/** Whether a tracked peer waits for its next dial, and may be dialled. */
const isUnreached = (peer: TrackedPeer, now: number): boolean =>
  !peer.isConnected && peer.isDialable && peer.failedVisits + peer.notDialled > 0 && peer.leftAloneUntil <= now

/** Whether a node has not said that it does not go back to the slot. */
const mayHold = ({ claim }: BookEntry, slot: Slot): boolean =>
  Option.match(claim, {
    onNone: () => true,
    onSome: ({ earliestAvailableSlot }) => slot >= (earliestAvailableSlot ?? 0)
  })

interface Chosen {
  /** Unix milliseconds. */
  readonly since: number
  /** The addresses at which it was dialled. */
  readonly dialled: ReadonlyArray<string>
  readonly isLeaving: boolean
}

/** Whether a node has said by a newer record of its own where it is. */
const isNewer = (before: BookEntry | undefined, { seq }: BookEntry): boolean =>
  before !== undefined && Option.exists(seq, (next) => next > Option.getOrElse(before.seq, () => -1n))

const lookMs = 5_000
const dialsAtOnce = 16
/** Peers beyond the target that are borne with because somebody wants columns. */
const mostGuests = 32
/** A tracked peer is not dialled before its time more often. */
const hurryEveryMs = 60_000
const mostHurried = 4096
/** Within so long what is tracked is seen. */
const beginMs = 2 * lookMs
const goneByItself: VisitEnd = { wasAudited: false, isOurs: false, refusal: Option.none(), leftAloneUntil: 0 }
