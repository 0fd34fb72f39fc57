import { Effect, Option } from "effect"
import type { AddressBook } from "../../discovery/book/AddressBook.ts"
import { type BookChange, type BookEntry, isReachedSinceTried } from "../../discovery/book/BookEntry.ts"
import { isNearlySame } from "../../domain/peer/Score.ts"
import type { TrackedPeer } from "../Peers.ts"
import type { AuditRound } from "./AuditRound.ts"

/** Writes down what is found out of the peers that are tracked. */
export const keepBook =
  (book: AddressBook["Type"], round: Pick<AuditRound, "audited">) =>
  (tracked: ReadonlyArray<TrackedPeer>, now: number): Effect.Effect<void> =>
    Effect.forEach(
      tracked,
      (peer) =>
        Effect.gen(function* () {
          const entry = yield* entryFor(book, peer)
          const change = entry === undefined ? undefined : changeOf(entry, peer, now)
          if (entry === undefined || change === undefined) return
          yield* book.note(peer.peerId, change)
          const { auditedAt } = change
          if (auditedAt !== undefined && Option.isSome(auditedAt)) round.audited(entry.auditedAt, auditedAt.value)
        }),
      { discard: true }
    )

/** One that came by itself gets into the book when it has said what it keeps. */
const entryFor = (book: AddressBook["Type"], { claim, isConnected, peerId }: TrackedPeer) =>
  Effect.gen(function* () {
    const known = book.entries().get(peerId)
    if (known !== undefined || !isConnected || Option.isNone(claim)) return known
    const address = { peerId, multiaddrs: [], enrCustodyGroupCount: Option.none() }
    yield* book.hear({ address, source: "inbound" })
    return book.entries().get(peerId)
  })

/** What is new about it; nothing for a moment that hardly differs, or each look would change all of the book. */
const changeOf = (entry: BookEntry, peer: TrackedPeer, now: number): BookChange | undefined => {
  const change: { -readonly [Key in keyof BookChange]: BookChange[Key] } = {}
  if (peer.isConnected && !(isReachedSinceTried(entry) && isLately(entry.reachedAt, now)))
    change.reachedAt = Option.some(now)
  if (Option.exists(peer.lastProbeAt, (at) => !isLately(entry.auditedAt, at))) change.auditedAt = peer.lastProbeAt
  const agent = Option.getOrNull(peer.agent)
  if (agent !== null && agent !== Option.getOrNull(entry.agent)) change.agent = peer.agent
  const score = { value: peer.score, at: peer.scoredAt }
  // An older one is that of a peer of whom the history was not asked yet.
  if (score.at >= entry.score.at && !isNearlySame(entry.score, score)) change.score = score
  const said = Option.map(peer.claim, ({ custodyGroupCount, earliestAvailableSlot }) => ({
    groupCount: custodyGroupCount,
    earliestAvailableSlot
  }))
  const before = Option.getOrUndefined(entry.claim)
  const isOther = Option.exists(
    said,
    (now) => now.groupCount !== before?.groupCount || now.earliestAvailableSlot !== before.earliestAvailableSlot
  )
  if (isOther) change.claim = said
  return Object.keys(change).length === 0 ? undefined : change
}

const isLately = (at: Option.Option<number>, now: number): boolean => Option.exists(at, (then) => now - then < 60_000)
