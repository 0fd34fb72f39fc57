import { Option } from "effect"
import type { PeerId } from "../../domain/Primitives.ts"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import type { PeerFacts } from "../PeerActor.ts"
import type { AddressBackOff } from "./AddressBackOff.ts"
import type { Candidate } from "./ChoosePeers.ts"
import type { Prepared } from "./Prepared.ts"

export interface CandidateRules {
  readonly now: number
  readonly isTracked: (peerId: PeerId) => boolean
  readonly allows: (peer: PeerFacts) => boolean
  readonly backOff: Pick<AddressBackOff, "free">
  readonly prepare: (entry: BookEntry) => Prepared
}

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
    if (backOff.free(multiaddrs, now).length === 0) continue
    const candidate = prepare(entry)
    if (allows(candidate.facts)) candidates.push(candidate)
  }
  return candidates
}
