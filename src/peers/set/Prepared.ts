import { Option } from "effect"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import { toHex } from "../../domain/Bytes.ts"
import { custodyColumns, isCustodyCount } from "../../domain/column/Custody.ts"
import { custodyRequirement } from "../../domain/network/Chain.ts"
import { clientFamily } from "../../domain/peer/ClientFamily.ts"
import type { Score } from "../../domain/peer/Score.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import type { PeerFacts } from "../PeerActor.ts"
import { isReachable } from "./AuditRound.ts"
import type { Candidate } from "./ChoosePeers.ts"
import { columnSet } from "./ColumnSet.ts"
import { placesOf } from "./DialLimits.ts"

/** An entry of the address book, as it is looked at when peers are chosen. */
export interface Prepared extends Omit<Candidate, "score"> {
  readonly score: Score
  readonly facts: PeerFacts
}

/**
 * Prepares an entry when it is first asked for, and again when it is another: of ten thousand some hundred change between
 * two looks, and most of these in nothing but moments.
 */
export const makePrepare = (): ((entry: BookEntry) => Prepared) => {
  const known = new Map<PeerId, { readonly entry: BookEntry; readonly prepared: Prepared }>()
  return (entry) => {
    const found = known.get(entry.peerId)
    if (found?.entry === entry) return found.prepared
    // Of those that are not in the book any more nothing is to stay.
    if (found === undefined && known.size >= mostKnown) known.clear()
    const prepared = prepare(entry, found)
    known.set(entry.peerId, { entry, prepared })
    return prepared
  }
}

/** More than the book holds. */
const mostKnown = 25_000

const prepare = (
  entry: BookEntry,
  before: { readonly entry: BookEntry; readonly prepared: Prepared } | undefined
): Prepared => {
  const { agent, multiaddrs, nodeId, peerId } = entry
  const custodyGroupCount = countOf(entry)
  const isSame = before?.prepared.custodyGroupCount === custodyGroupCount
  return {
    peerId,
    custodyGroupCount,
    columns: isSame
      ? before.prepared.columns
      : columnSet(Option.match(nodeId, { onNone: () => [], onSome: (id) => custodyColumns(id, custodyGroupCount) })),
    family: clientFamily(Option.getOrNull(agent)),
    places: before?.entry.multiaddrs === multiaddrs ? before.prepared.places : placesOf(multiaddrs),
    facts: { peerId, agent, nodeId: before?.prepared.facts.nodeId ?? Option.map(nodeId, toHex) },
    isReachable: isReachable(entry),
    score: entry.score,
    touchedAt: Math.max(
      Option.getOrElse(entry.auditedAt, () => 0),
      Option.getOrElse(entry.triedAt, () => 0)
    )
  }
}

/** By what the peer claimed, else by its ENR, else the least that everyone keeps. */
const countOf = ({ claim, enrCustodyGroupCount }: BookEntry): number =>
  Option.map(claim, ({ groupCount }) => groupCount).pipe(
    Option.orElse(() => enrCustodyGroupCount),
    Option.filter(isCustodyCount),
    Option.getOrElse(() => custodyRequirement)
  )
