import { Effect } from "effect"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import { sidecarOf } from "../chain/DevBlock.ts"
import type { ColumnResponse, Conduct, PeerContext } from "./Profile.ts"

/** The conduct that every profile starts from. */
export const honestConduct = (peer: PeerContext): Conduct => {
  const columns = new Set(custodyColumns(peer.nodeId, peer.custodyGroupCount))
  return {
    view: peer.chain.state,
    claim: Effect.map(peer.chain.state, ({ earliestSlot }) => ({
      custodyGroupCount: peer.custodyGroupCount,
      sequenceNumber: 1,
      earliestAvailableSlot: earliestSlot
    })),
    serve: (handlers) => handlers,
    admit: () => Effect.succeedNone,
    undecodable: () => Effect.void,
    status: (status) => status,
    greet: ({ send }) => send,
    stored: Effect.succeed(({ column }) => columns.has(column)),
    select: (items) => items,
    sidecar: ({ block, column }) => sidecarOf(peer.chain.pool, block, column),
    context: (slot) => forkDigestOfSlot(peer.chain.parameters, slot),
    push: (_, usual) => usual,
    respond: (response) =>
      // Clients differ in what they do below their earliest available slot: refuse it, or leave out what they lack.
      peer.strict && response.request.isBelowClaim
        ? response.reply.error(resultCodes.resourceUnavailable, "columns pruned within boundary")
        : sendAll(response)
  }
}

/** One chunk after the other; others get their turn between two of them. */
export const sendAll = ({
  chunk,
  items,
  reply
}: Pick<ColumnResponse, "chunk" | "items" | "reply">): Effect.Effect<void, StreamFailure> =>
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
