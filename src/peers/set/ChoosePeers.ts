import { isBefore as isBeforeInTurn, type Waiting } from "../../domain/peer/Turn.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import { type ColumnNeed, type Demand, type Holder, makeColumnNeed } from "./ColumnNeed.ts"
import { type DialLimits, makeDialLimits, type Place } from "./DialLimits.ts"

/** A peer that is tracked. */
export interface Member extends Holder {
  readonly peerId: PeerId
  /** Whether the set chose it; others are of the configuration, or came by themselves, and are not sent away by it. */
  readonly isChosen: boolean
  readonly isConnected: boolean
  /** It is being dialled; one that is neither is waited for, and takes no place. */
  readonly isDialling: boolean
  /** It was asked to go, and goes when it is settled. */
  readonly isLeaving: boolean
  /** It has been audited, and may go for another. */
  readonly mayGo: boolean
  /** How far it can be relied on, 0 to 1. */
  readonly score: number
  /** Unix milliseconds: connected, or else dialled. */
  readonly since: number
  readonly places: ReadonlyArray<Place>
}

/** A peer that could be dialled now. */
export interface Candidate extends Holder, Waiting {
  readonly peerId: PeerId
  /** Whether the last visit to it came to something. */
  readonly isReachable: boolean
  readonly places: ReadonlyArray<Place>
}

export interface SetLimits {
  /** Peers that are to be connected. */
  readonly target: number
  readonly demand: Demand
  /** Dials under way at once. */
  readonly dialsAtOnce: number
}

/** What is to be done about the set. */
export interface Choice {
  readonly dial: ReadonlyArray<PeerId>
  readonly rest: ReadonlyArray<PeerId>
  /** Columns that the connected peers hold too few times. */
  readonly lacking: ReadonlyArray<number>
}

/**
 * Whom to dial and whom to let go. Places that are free go to those who bring what is lacking, then to those who were
 * reached before, then to those who were touched the longest ago, with a start for those who can be relied on (`Turn`). When no place is free, those who may go are exchanged:
 * as many others are dialled, and only when these are there do those go that have stayed the longest and are not needed
 * for any column. An eighth of the places is for the peers that can be relied on most, who stay while they are that: all
 * others go round in the rest, so that everybody is looked at, the bad ones too.
 */
export const choosePeers = (
  members: ReadonlyArray<Member>,
  candidates: ReadonlyArray<Candidate>,
  { demand, dialsAtOnce, target }: SetLimits
): Choice => {
  const need = makeColumnNeed(demand)
  const limits = makeDialLimits()
  for (const member of members) {
    if (member.isConnected && !member.isLeaving) need.add(member)
    if (member.isConnected || member.isDialling) limits.take(member.places, member.isDialling)
  }
  const chosen = members.filter(({ isChosen, isLeaving }) => isChosen && !isLeaving)
  const connected = chosen.filter(({ isConnected }) => isConnected)
  const dialling = chosen.filter(({ isDialling }) => isDialling).length
  const others = members.filter(({ isChosen, isConnected }) => isConnected && !isChosen).length
  const leaving = members.filter(({ isConnected, isLeaving }) => isConnected && isLeaving).length
  // Whoever comes, some places are ours to give: else a crowd of strangers would end the round.
  const places = Math.max(Math.ceil(target / 4), target - others)
  const reliable = mostReliable(connected, Math.floor(places / 8))
  const staying = connected.map((member) => (reliable.has(member) ? { ...member, mayGo: false } : member))
  const lacking = need.lacking()
  const raised = places + Math.min(lacking.length, Math.ceil(places / 4))
  const present = staying.length + Math.max(0, leaving - Math.ceil(places / 4))
  // Beyond that one goes even if a column needs it: up to that somebody may come, or a small set would never change.
  const borne = lacking.length === 0 ? places : Math.max(raised, places + leastSpare)
  const rest = letGo(staying, need, { surplus: present - places, most: raised - places })

  const goers = staying.filter(({ mayGo }) => mayGo).length - rest.length
  const expected = present - rest.length + dialling
  const room: Room = {
    free: Math.max(0, places - expected),
    forColumns: Math.max(0, raised - Math.max(places, expected)),
    exchanged: Math.max(0, Math.min(goers, Math.ceil(places / 10)) - Math.max(0, expected - borne)),
    most: dialsAtOnce - dialling
  }
  return { dial: pick(candidates, need, limits, room), rest, lacking }
}

/** Those with the best scores, none of which is merely good; of equal ones who has been there the longest. */
const mostReliable = (members: ReadonlyArray<Member>, most: number): ReadonlySet<Member> =>
  new Set(
    members
      .filter(({ score }) => score >= leastReliable)
      .sort((a, b) => b.score - a.score || a.since - b.since)
      .slice(0, most)
  )

const leastReliable = 0.9

interface Room {
  /** Places that anyone may have. */
  readonly free: number
  /** Places for whoever brings a column that is lacking. */
  readonly forColumns: number
  /** Places for whoever comes for one that may go. */
  readonly exchanged: number
  /** Dials that may begin. */
  readonly most: number
}

const pick = (candidates: ReadonlyArray<Candidate>, need: ColumnNeed, limits: DialLimits, room: Room) => {
  const picked = new Set<PeerId>()
  let { exchanged, forColumns, free } = room
  while (picked.size < room.most && free + forColumns + exchanged > 0) {
    const best = bestOf(
      candidates,
      need,
      free > 0,
      ({ peerId, places }) => !picked.has(peerId) && limits.allows(places)
    )
    if (best === undefined) break
    if (free > 0) free--
    else if (forColumns > 0 && best.gain > 0) forColumns--
    else if (exchanged > 0) exchanged--
    else break
    picked.add(best.candidate.peerId)
    need.add(best.candidate)
    limits.take(best.candidate.places, true)
  }
  return [...picked]
}

/** One look at all, and no order of all: few are picked of many. */
const bestOf = (
  candidates: ReadonlyArray<Candidate>,
  need: ColumnNeed,
  isFilling: boolean,
  isFree: (candidate: Candidate) => boolean
) => {
  let best: { readonly candidate: Candidate; readonly gain: number } | undefined
  for (const candidate of candidates) {
    const gain = need.gain(candidate)
    if (best !== undefined && !isBefore(candidate, gain, best, isFilling)) continue
    if (isFree(candidate)) best = { candidate, gain }
  }
  return best
}

const isBefore = (
  candidate: Candidate,
  gain: number,
  best: { readonly candidate: Candidate; readonly gain: number },
  isFilling: boolean
): boolean => {
  if (gain !== best.gain) return gain > best.gain
  if (isFilling && candidate.isReachable !== best.candidate.isReachable) return candidate.isReachable
  return isBeforeInTurn(candidate, best.candidate)
}

/**
 * Those that go, the longest there first: as many as are too many. Who is needed for a column goes only where that would
 * be too many even with what the columns need (`most` more).
 */
const letGo = (
  staying: ReadonlyArray<Member>,
  need: ColumnNeed,
  { most, surplus }: { readonly surplus: number; readonly most: number }
): ReadonlyArray<PeerId> => {
  const gone: Array<PeerId> = []
  if (surplus <= 0) return gone
  const goers = staying.filter(({ mayGo }) => mayGo).sort((a, b) => a.since - b.since)
  const needed: Array<Member> = []
  for (const member of goers) {
    if (gone.length >= surplus) return gone
    if (need.loss(member) > 0) needed.push(member)
    else {
      need.remove(member)
      gone.push(member.peerId)
    }
  }
  const tooMany = surplus - gone.length - Math.max(most, leastSpare)
  const leastMissed = needed
    .map((member) => ({ member, loss: need.loss(member) }))
    .sort((a, b) => a.loss - b.loss || a.member.since - b.member.since)
  for (const { member } of leastMissed.slice(0, Math.max(0, tooMany))) {
    need.remove(member)
    gone.push(member.peerId)
  }
  return gone
}

/** Peers beyond the target that are borne with before one goes that a column needs. */
const leastSpare = 2
