import { Effect } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import { sidecarOf } from "../chain/DevBlock.ts"
import type { ColumnResponse, Conduct, PeerContext } from "./Profile.ts"

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
export const sendAll = ({ chunk, items, reply }: ColumnResponse): Effect.Effect<void, StreamFailure> =>
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
