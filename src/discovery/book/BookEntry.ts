import { Option } from "effect"
import { nodeIdOfPeerId } from "../../domain/peer/NodeId.ts"
import { neutralScore, type Score } from "../../domain/peer/Score.ts"
import type { PeerId, Slot } from "../../domain/Primitives.ts"
import { discoverySources, type NodeFound } from "../Discovery.ts"

/** Where an entry may come from: a source of discovery, or the peer came to us by itself. */
export const bookSources = [...discoverySources, "inbound"] as const
export type BookSource = (typeof bookSources)[number]

/** What was heard of a node. */
export interface Heard extends Omit<NodeFound, "source"> {
  readonly source: BookSource
}

/** A node that we know of. Moments are Unix milliseconds. */
export interface BookEntry {
  readonly peerId: PeerId
  /** 32 bytes; none if the peer id does not hold the key. */
  readonly nodeId: Option.Option<Uint8Array>
  /** Without `/p2p/…`, at most 8; empty for a node that can only come to us. */
  readonly multiaddrs: ReadonlyArray<string>
  readonly enr: Option.Option<string>
  readonly seq: Option.Option<bigint>
  /** `cgc` of the ENR that was heard of last. */
  readonly enrCustodyGroupCount: Option.Option<number>
  /** What the peer called itself. */
  readonly agent: Option.Option<string>
  /** What the peer claimed last. */
  readonly claim: Option.Option<BookClaim>
  readonly source: BookSource
  /** Heard of it the first time, and last. */
  readonly firstSeen: number
  readonly lastSeen: number
  /** There was a connection to it. */
  readonly reachedAt: Option.Option<number>
  /** The last probe of it ended. */
  readonly auditedAt: Option.Option<number>
  /** It was dialled. */
  readonly triedAt: Option.Option<number>
  /** Visits in a row that came to nothing. */
  readonly failures: number
  /** It is not dialled before. */
  readonly notBefore: number
  /** How far it could be relied on when that was noted last; with time it goes back to neutral (`scoreAt`). */
  readonly score: Score
}

export interface BookClaim {
  readonly groupCount: number
  readonly earliestAvailableSlot: Slot | null
}

/** What we find out about a node ourselves. */
export type BookChange = Partial<
  Pick<BookEntry, "agent" | "claim" | "reachedAt" | "auditedAt" | "triedAt" | "failures" | "notBefore" | "score">
>

/** Whether there was a connection to it since it was dialled, if it ever was. */
export const isReachedSinceTried = ({ reachedAt, triedAt }: Pick<BookEntry, "reachedAt" | "triedAt">): boolean =>
  Option.exists(reachedAt, (at) => at >= Option.getOrElse(triedAt, () => 0))

/** An entry for a node that was never heard of before. */
export const newEntry = (heard: Heard, at: number): BookEntry => ({
  peerId: heard.address.peerId,
  nodeId: Option.getRight(nodeIdOfPeerId(heard.address.peerId)),
  multiaddrs: bounded(heard.address.multiaddrs),
  enr: enrOf(heard),
  seq: Option.fromNullable(heard.seq),
  enrCustodyGroupCount: heard.address.enrCustodyGroupCount,
  agent: Option.none(),
  claim: Option.none(),
  source: heard.source,
  firstSeen: at,
  lastSeen: at,
  reachedAt: Option.none(),
  auditedAt: Option.none(),
  triedAt: Option.none(),
  failures: 0,
  notBefore: 0,
  score: neutralScore
})

/**
 * The entry after the node was heard of again. An older record than the one that is known says nothing new; a newer one
 * takes its place; addresses without a record join those that are known. A node whose addresses change may be dialled
 * again at once, unless it was reached before: a stranger's word must not undo what the peer itself asked of us.
 */
export const heardAgain = (entry: BookEntry, heard: Heard, at: number): BookEntry => {
  const source = sourceOf(entry, heard)
  const isSeenLately = at - entry.lastSeen < seenEveryMs
  const seen: BookEntry =
    isSeenLately && source === entry.source ? entry : { ...entry, lastSeen: Math.max(entry.lastSeen, at), source }
  const seq = Option.fromNullable(heard.seq)
  const known = Option.getOrElse(entry.seq, () => -1n)
  if (Option.exists(seq, (next) => next < known)) return seen
  const { enrCustodyGroupCount, multiaddrs: addresses } = heard.address
  const isNewer = Option.exists(seq, (next) => next > known)
  const multiaddrs = bounded(isNewer ? addresses : [...addresses, ...entry.multiaddrs])
  const isSame = sameAddresses(multiaddrs, entry.multiaddrs)
  const hasCount = Option.isSome(enrCustodyGroupCount) && Option.isNone(entry.enrCustodyGroupCount)
  const hasRecord = heard.enr !== undefined && Option.isNone(entry.enr)
  if (isSame && !isNewer && !hasCount && !hasRecord) return seen
  const hasMoved = multiaddrs.some((address) => !entry.multiaddrs.includes(address))
  return {
    ...seen,
    multiaddrs: isSame ? entry.multiaddrs : multiaddrs,
    enr: Option.orElse(enrOf(heard), () => entry.enr),
    seq: Option.orElse(seq, () => entry.seq),
    enrCustodyGroupCount: Option.orElse(enrCustodyGroupCount, () => entry.enrCustodyGroupCount),
    ...(hasMoved && isNewer && Option.isNone(entry.reachedAt) ? { failures: 0, notBefore: 0 } : {})
  }
}

/** Whoever is found by any source is not only known from the configuration, or because it came. */
const sourceOf = ({ source }: BookEntry, heard: Heard): BookSource =>
  source === "inbound" || (source === "config" && heard.source !== "inbound") ? heard.source : source

const enrOf = ({ enr }: Heard): Option.Option<string> =>
  Option.filter(Option.fromNullable(enr), ({ length }) => length <= longestEnr)

/** It is not told apart within this when a node was heard of; all of them are heard of again and again. */
const seenEveryMs = 600_000

const bounded = (multiaddrs: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(multiaddrs)].filter(({ length }) => length <= longestAddress).slice(0, mostAddresses)

const sameAddresses = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((address, index) => address === b[index])

/** 300 bytes (EIP-778) as text. */
const longestEnr = 420
const longestAddress = 256
const mostAddresses = 8

/**
 * Who goes first when the book is full: who cannot be dialled, then who was never reached, then who was; of these who was
 * heard of, or reached, the longest ago. Those of the configuration go last.
 */
export const byWorth = (a: BookEntry, b: BookEntry): number => classOf(a) - classOf(b) || momentOf(a) - momentOf(b)

const classOf = (entry: BookEntry): number => {
  if (entry.source === "config") return 3
  if (Option.isSome(entry.reachedAt)) return entry.multiaddrs.length === 0 ? 1 : 2
  return entry.multiaddrs.length === 0 ? 0 : 1
}

const momentOf = ({ lastSeen, reachedAt }: BookEntry): number => Option.getOrElse(reachedAt, () => lastSeen)
