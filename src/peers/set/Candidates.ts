import { Option } from "effect"
import { scoreAt } from "../../domain/peer/Score.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import type { PeerFacts } from "../PeerActor.ts"
import type { AddressBackOff } from "./AddressBackOff.ts"
import { isReachable } from "./AuditRound.ts"
import type { Candidate } from "./ChoosePeers.ts"
import type { Prepared } from "./Prepared.ts"

export interface CandidateRules {
  readonly now: number
  readonly isTracked: (peerId: PeerId) => boolean
  readonly allows: (peer: PeerFacts) => boolean
  readonly backOff: Pick<AddressBackOff, "free" | "isVain">
  readonly prepare: (entry: BookEntry) => Prepared
}

/**
 * Where it may be dialled now. Who was reached at the last visit is, whatever others have come to who say that they are at
 * the same address: else strangers who claim it again and again would keep us from the one who is there.
 */
export const addressesToDial = (
  entry: BookEntry,
  backOff: Pick<AddressBackOff, "free">,
  now: number
): ReadonlyArray<string> => (isReachable(entry) ? entry.multiaddrs : backOff.free(entry.multiaddrs, now))

/**
 * Those of the address book that could be dialled now. One of the configuration is dialled for as long as it is in it,
 * and not from the book; one without a node id owes no columns that could be known.
 */
export const candidatesOf = (entries: Iterable<BookEntry>, rules: CandidateRules): ReadonlyArray<Candidate> => {
  const { allows, backOff, isTracked, now, prepare } = rules
  const candidates: Array<Candidate> = []
  for (const entry of entries) {
    const { multiaddrs, nodeId, notBefore, peerId, source } = entry
    if (notBefore > now || source === "config" || source === "inbound" || Option.isNone(nodeId)) continue
    if (multiaddrs.length === 0 || isTracked(peerId)) continue
    if (addressesToDial(entry, backOff, now).length === 0) continue
    const prepared = prepare(entry)
    if (!prepared.isReachable && backOff.isVain(prepared.places, now)) continue
    if (allows(prepared.facts)) candidates.push({ ...prepared, score: scoreAt(prepared.score, now) })
  }
  return candidates
}
