import { Option } from "effect"
import type { AddressBook } from "../../discovery/book/AddressBook.ts"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import { clientFamily } from "../../domain/peer/ClientFamily.ts"
import { custodyRequirement } from "../../domain/network/Chain.ts"
import type { TrackedPeer } from "../Peers.ts"
import type { Member } from "./ChoosePeers.ts"
import { columnSet } from "./ColumnSet.ts"
import { placesOf } from "./DialLimits.ts"
import type { Prepared } from "./Prepared.ts"
import { isAudited, mayGo, type VisitEnd, type VisitPace } from "./Visit.ts"

/** A tracked peer as one of the set; `chosen` is none for one that the set has not chosen. */
export const memberOf = (
  peer: TrackedPeer,
  chosen: { readonly since: number; readonly isLeaving: boolean } | undefined,
  book: AddressBook["Type"],
  prepare: (entry: BookEntry) => Prepared,
  pace: VisitPace,
  now: number
): Member => {
  const entry = book.entries().get(peer.peerId)
  const known: Omit<Prepared, "facts" | "isReachable" | "peerId" | "score" | "touchedAt"> =
    entry === undefined
      ? {
          columns: columnSet(Option.match(peer.claim, { onNone: () => [], onSome: ({ columns }) => columns })),
          custodyGroupCount: Option.match(peer.claim, {
            onNone: () => custodyRequirement,
            onSome: ({ custodyGroupCount }) => custodyGroupCount
          }),
          family: clientFamily(Option.getOrNull(peer.agent)),
          places: []
        }
      : prepare(entry)
  return {
    peerId: peer.peerId,
    columns: known.columns,
    custodyGroupCount: known.custodyGroupCount,
    family: known.family,
    places: placesTaken(peer, known.places),
    isChosen: chosen !== undefined && !peer.isConfigured,
    isConnected: peer.isConnected,
    isDialling: chosen !== undefined && !peer.isConnected && now - chosen.since < patienceMs,
    isLeaving: chosen?.isLeaving ?? false,
    mayGo: mayGo(peer, pace, now),
    score: peer.score,
    since: Option.getOrElse(peer.connectedSince, () => chosen?.since ?? now)
  }
}

/** A record may name any number of hosts: one that is connected takes up the place at which it is, and no other. */
export const placesTaken = (
  { isConnected, remoteAddress }: Pick<TrackedPeer, "isConnected" | "remoteAddress">,
  ofRecord: Member["places"]
): Member["places"] =>
  isConnected && ofRecord.length > 1
    ? Option.match(remoteAddress, { onNone: () => ofRecord, onSome: (address) => placesOf([address]) })
    : ofRecord

/** What a visit has come to by now, and whether it is over: the peer was not reached, sent us away, or is not coming back. */
export interface VisitOutcome extends VisitEnd {
  readonly isOver: boolean
  /** It is away for so long that what is suspected of it will not be settled now. */
  readonly isGivenUp: boolean
}

/** `since`: Unix milliseconds since which the set has had it tracked. */
export const outcomeOf = (peer: TrackedPeer, since: number, now: number): VisitOutcome => {
  const { failedVisits, isConnected, lastProbeAt, leftAloneUntil, notDialled, refusal } = peer
  const wasAudited = isConnected ? isAudited(peer) : Option.exists(lastProbeAt, (at) => at >= since)
  const isAway = !isConnected
  const isVain = failedVisits + notDialled > 0 || leftAloneUntil > now || wasAudited
  return {
    wasAudited,
    isOurs: notDialled > 0 && failedVisits === 0,
    refusal,
    leftAloneUntil,
    isOver: isAway ? isVain || now - since >= patienceMs : Option.isNone(peer.claim) && now - since >= patienceMs,
    isGivenUp: isAway && now - since >= longestAwayMs
  }
}

/** Longer than a dial that waits for its turn, and a handshake, take. */
const patienceMs = 120_000
const longestAwayMs = 24 * 3_600_000
