import { Duration, Effect } from "effect"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import type { Peers } from "../peers/Peers.ts"
import type { ProvenColumn } from "../probe/AskWanted.ts"

/**
 * Asks peers that claim them for columns of one block, by root: those with the best score first, each for all that it
 * claims of what is still missing. Gives what came of it, and nothing of a block that took its place. Never more than a few peers, within all budgets of probes.
 */
export const retrieve = Effect.fn("Custody.retrieve")(function* (
  peers: Pick<Peers["Type"], "views" | "ask">,
  { columns, root, slot }: { readonly root: Root; readonly slot: Slot; readonly columns: ReadonlyArray<number> }
) {
  const found = new Map<number, ProvenColumn>()
  const asked = new Set<PeerId>()
  while (asked.size < mostPeers && found.size < columns.length) {
    const missing = columns.filter((column) => !found.has(column))
    const next = whomToAsk(peers.views(), slot, missing, asked)
    if (next === undefined) break
    asked.add(next.peerId)
    yield* peers.ask(next.peerId, { slot, columns: next.columns, purpose: "retrieval", within: wait }).pipe(
      Effect.tap(({ proven }) =>
        Effect.sync(() => {
          for (const one of proven) if (one.blockRoot === root) found.set(one.column, one)
        })
      ),
      Effect.catchAll((error) => Effect.logDebug(`a column of slot ${slot} could not be asked for: ${error._tag}`))
    )
  }
  return [...found.values()]
})

/** The peer of the best score among those that claim the most of them, and which. */
export const whomToAsk = (
  views: ReadonlyArray<PeerView>,
  slot: Slot,
  missing: ReadonlyArray<number>,
  asked: ReadonlySet<PeerId>
): { readonly peerId: PeerId; readonly columns: ReadonlyArray<number> } | undefined => {
  let best: { readonly peerId: PeerId; readonly columns: ReadonlyArray<number> } | undefined
  let mostWorth = -1
  for (const { connected, custody, headSlot, peerId, score } of views) {
    if (!connected || custody === null || asked.has(peerId)) continue
    const { earliestAvailableSlot } = custody
    if (earliestAvailableSlot !== null && earliestAvailableSlot > slot) continue
    // One that fell behind does not have it.
    if (headSlot !== null && headSlot + 32 < slot) continue
    const columns = missing.filter((column) => custody.columns.includes(column)).slice(0, mostColumns)
    const worth = Math.sqrt(columns.length) * score
    if (columns.length > 0 && worth > mostWorth) {
      best = { peerId, columns }
      mostWorth = worth
    }
  }
  return best
}

const mostPeers = 6
/** Of one question. */
const mostColumns = 32
/** For a question's turn. */
const wait = Duration.seconds(3)
