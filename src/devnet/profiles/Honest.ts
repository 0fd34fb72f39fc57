import { Effect } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { sidecarOf } from "../chain/DevBlock.ts"
import type { ColumnAnswer, Conduct, PeerContext, Profile } from "./Profile.ts"

/** Keeps what it claims and answers as the specification says. */
export const honest: Profile = {
  custodyGroupCount: (random) => 4 + random.below(5),
  depart: () => Effect.succeed({})
}

/** The conduct that every profile starts from. */
export const honestConduct = (peer: PeerContext): Conduct => {
  const columns = new Set(custodyColumns(peer.nodeId, peer.custodyGroupCount))
  return {
    claim: Effect.map(peer.chain.state, ({ earliestSlot }) => ({
      custodyGroupCount: peer.custodyGroupCount,
      sequenceNumber: 1,
      earliestAvailableSlot: earliestSlot
    })),
    status: (status) => status,
    stored: Effect.succeed((_state, _slot, column) => columns.has(column)),
    select: (items) => items,
    sidecar: ({ block, column }) => sidecarOf(peer.chain.pool, block, column),
    respond: sendAll
  }
}

/** One chunk after the other; others get their turn between two of them. */
export const sendAll = ({ chunk, items, reply }: ColumnAnswer) =>
  Effect.forEach(
    items,
    (item) =>
      Effect.zipRight(
        Effect.yieldNow(),
        Effect.suspend(() => reply.raw(chunk(item)))
      ),
    {
      discard: true
    }
  )
