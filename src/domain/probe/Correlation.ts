import { dropOldest } from "../Bounded.ts"
import type { ClientFamily } from "../peer/ClientFamily.ts"
import type { PeerId, Slot } from "../Primitives.ts"

/** What one probe says of the monitor itself, beside what it says of the peer. */
interface Heard {
  readonly peerId: PeerId
  readonly family: ClientFamily
  /** Slots of which something was left out, refused, garbled or wrong. */
  readonly suspect: ReadonlyArray<Slot>
  /** Slots of which everything that came verifies. */
  readonly clean: ReadonlyArray<Slot>
  /** Unix milliseconds. */
  readonly at: number
}

/**
 * Whether peers that have nothing to do with each other become suspect together: then it is more likely that the monitor
 * is wrong (its beacon node, its clock, its network, its verifier) than that they all are. Mutable; one owner.
 */
export interface Correlation {
  readonly hear: (heard: Heard) => void
  /** What is seen at this moment, if it is too much. */
  readonly look: (now: number) => Seen
  /**
   * Whether a slot was seen to be suspect at too many, and has not been seen to be sound since. Looking again does not
   * make it less so: whoever is asked first would be accused.
   */
  readonly isDoubtful: (slot: Slot, now: number) => boolean
}

/** Sentences. */
interface Seen {
  /** Peers became suspect, or are, whatever they were asked for. */
  readonly peers: string | undefined
  /** Several slots became doubtful. One is a reason to doubt that slot, and nothing else. */
  readonly slots: string | undefined
}

export interface CorrelationOptions {
  /** What is older counts no more. */
  readonly windowMs: number
  /** What is younger is of late. */
  readonly lateMs: number
}

/** Peers of one kind of trouble, below which nothing is concluded. */
const leastPeers = 4
/** The same, while there is nothing to compare with. */
const leastOfAll = 6
/** Doubtful slots, below which nothing but those is in doubt. */
const leastSlots = 4
/** More than this share of the peers that were asked. */
const share = { sameSlot: 1 / 2, turned: 1 / 2, everybody: 3 / 4 }

/**
 * - On one slot: more than half of the peers that were asked about it in the window, four at least and of two client
 *   families or more, are suspect there though they are not elsewhere. That slot is doubtful; with four of them it is more
 *   than the slots.
 * - At once: more than half of the peers that were sound before became suspect of late. That lasts until at most half of
 *   those that turned, and are still there, are suspect.
 * - From the start: more than three quarters of all peers heard in the window, six at least, are suspect in most of what
 *   they were asked.
 */
export const makeCorrelation = ({ lateMs, windowMs }: CorrelationOptions): Correlation => {
  const peers = new Map<PeerId, Peer>()
  const slots = new Map<Slot, Map<PeerId, Told>>()
  /** How many peers are suspect in a slot, of those in which any is: a look at all slots would take longer than a probe. */
  const suspectIn = new Map<Slot, number>()
  const doubtful = new Set<Slot>()
  let turnedPeers: ReadonlySet<PeerId> = new Set()
  let told = 0

  const tell = (slot: Slot, peerId: PeerId, entry: Told): void => {
    const known = slots.get(slot)
    const peersOf = known ?? new Map<PeerId, Told>()
    if (known === undefined) slots.set(slot, peersOf)
    const before = peersOf.get(peerId)
    if (before === undefined) told++
    peersOf.set(peerId, entry)
    const suspects = (suspectIn.get(slot) ?? 0) + Number(entry.isSuspect) - Number(before?.isSuspect ?? false)
    if (suspects > 0) suspectIn.set(slot, suspects)
    else suspectIn.delete(slot)
  }

  /** The oldest slots first, in the order in which they were asked about first. */
  const forget = (now: number): void => {
    for (const [slot, peersOf] of slots) {
      const isOld = [...peersOf.values()].every(({ at }) => now - at > windowMs)
      if (!isOld && told <= mostTold) break
      told -= peersOf.size
      slots.delete(slot)
      suspectIn.delete(slot)
    }
    dropOldest(peers, mostPeers)
  }

  const hear = ({ at, clean, family, peerId, suspect }: Heard): void => {
    if (clean.length === 0 && suspect.length === 0) return
    const kept = (peers.get(peerId)?.spans ?? []).filter(({ from }) => at - from <= windowMs)
    const newest = kept.at(-1)
    const isNew = newest === undefined || at - newest.from >= lateMs / 2
    const span = isNew ? { from: at, clean: 0, suspect: 0 } : newest
    const grown = { ...span, clean: span.clean + clean.length, suspect: span.suspect + suspect.length }
    peers.delete(peerId)
    peers.set(peerId, { family, spans: [...(isNew ? kept : kept.slice(0, -1)), grown], at })
    for (const slot of clean) tell(slot, peerId, { isSuspect: false, at })
    for (const slot of suspect) tell(slot, peerId, { isSuspect: true, at })
    forget(at)
  }

  /** Those that were asked about a slot and are sound elsewhere. */
  const askedAbout = (slot: Slot, now: number) =>
    [...(slots.get(slot) ?? [])].flatMap(([peerId, { at, isSuspect }]) => {
      const peer = peers.get(peerId)
      return peer !== undefined && now - at <= windowMs && isSound(peer.spans) ? [{ peer, isSuspect }] : []
    })

  const inSlots = (now: number): string | undefined => {
    let seen = 0
    for (const [slot, suspects] of suspectIn) {
      if (suspects < leastPeers) continue
      const asked = askedAbout(slot, now)
      const suspect = asked.filter(({ isSuspect }) => isSuspect).map(({ peer }) => peer)
      if (!isTooMany(suspect, asked.length, share.sameSlot)) continue
      seen++
      doubtful.add(slot)
      dropOldest(doubtful, mostDoubtful)
    }
    return seen >= leastSlots
      ? `in ${seen} slots more than half of the peers are suspect that were asked about them and are sound elsewhere`
      : undefined
  }

  const together = (now: number): string | undefined => {
    const isLate = ({ from }: Span): boolean => now - from <= lateMs
    const heard = [...peers].filter(([, { at }]) => now - at <= windowMs)
    const sound = heard.filter(([, { spans }]) => isSound(spans.filter((span) => !isLate(span))))
    const turned = sound.filter(([, { spans }]) => isSuspect(spans.filter(isLate)))
    if (isTooMany(peersIn(turned), sound.length, share.turned)) {
      turnedPeers = new Set([...turnedPeers, ...turned.map(([peerId]) => peerId)])
    }
    const still = heard.filter(([peerId]) => turnedPeers.has(peerId))
    // Of a peer that is seldom asked nothing may be of late: then it is what was heard last.
    const stillSuspect = still.filter(([, { spans }]) =>
      isSuspect(spans.some(isLate) ? spans.filter(isLate) : spans.slice(-1))
    )
    if (stillSuspect.length * 2 > still.length) {
      return `${stillSuspect.length} of ${still.length} peers that were sound before became suspect together`
    }
    turnedPeers = new Set()
    const suspect = peersIn(heard).filter(({ spans }) => isSuspect(spans))
    return suspect.length >= leastOfAll && isTooMany(suspect, heard.length, share.everybody)
      ? `${suspect.length} of ${heard.length} peers are suspect`
      : undefined
  }

  return {
    hear,
    look: (now) => ({ peers: together(now), slots: inSlots(now) }),
    isDoubtful: (slot, now) => {
      if (!doubtful.has(slot)) return false
      const asked = askedAbout(slot, now)
      const suspect = asked.filter(({ isSuspect }) => isSuspect)
      if (asked.length < leastPeers || suspect.length * 2 > asked.length) return true
      doubtful.delete(slot)
      return false
    }
  }
}

interface Peer {
  readonly family: ClientFamily
  /** Ascending in time. */
  readonly spans: ReadonlyArray<Span>
  /** Unix milliseconds at which it was heard last. */
  readonly at: number
}

/** What was heard of a peer within half of `lateMs`. */
interface Span {
  /** Unix milliseconds. */
  readonly from: number
  /** Slots. */
  readonly clean: number
  readonly suspect: number
}

interface Told {
  readonly isSuspect: boolean
  readonly at: number
}

const total = (spans: ReadonlyArray<Span>, of: "clean" | "suspect"): number =>
  spans.reduce((sum, span) => sum + span[of], 0)
const isSound = (spans: ReadonlyArray<Span>): boolean => total(spans, "clean") > total(spans, "suspect")
const isSuspect = (spans: ReadonlyArray<Span>): boolean => total(spans, "suspect") > total(spans, "clean")

const peersIn = (entries: ReadonlyArray<readonly [PeerId, Peer]>): ReadonlyArray<Peer> =>
  entries.map(([, peer]) => peer)

const isTooMany = (suspect: ReadonlyArray<Peer>, asked: number, share: number): boolean =>
  suspect.length >= leastPeers &&
  suspect.length > asked * share &&
  new Set(suspect.map(({ family }) => family).filter((family) => family !== "unknown")).size >= 2

/** Pairs of slot and peer that are remembered: some 10 MB. */
const mostTold = 65_536
const mostPeers = 16_384
const mostDoubtful = 1024
