import { Effect, Either, type Scope } from "effect"
import {
  maxRequestBlocks,
  maxRequestDataColumnSidecars,
  numberOfColumns,
  serveRange,
  type SlotRange
} from "../../domain/network/Chain.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import { encodeSuccessChunk } from "../../wire/Codec.ts"
import { dataColumnSidecarsByRange, dataColumnSidecarsByRoot, type Protocol } from "../../wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../../wire/Requests.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import { type Reply, serve, type ServingNode } from "../../wire/Server.ts"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import type { ChainState } from "../chain/ChainState.ts"
import { type DevBlock, encodeSidecar, hasSidecars } from "../chain/DevBlock.ts"
import type { ColumnOf, Conduct, PeerContext } from "../profiles/Profile.ts"

/**
 * Serves DataColumnSidecarsByRange and ByRoot (fulu/p2p-interface.md): of what is asked, what is in custody and stored,
 * ascending by (slot, column). What becomes of that is up to the peer's conduct.
 */
export const serveColumns = (
  node: ServingNode,
  peer: PeerContext,
  conduct: Conduct
): Effect.Effect<void, never, Scope.Scope> => {
  const { parameters } = peer.chain

  /** `wanted` is ascending by slot for a range, and in the order of the request for roots. */
  const respond = (
    protocol: Protocol,
    wanted: ReadonlyArray<Wanted>,
    state: ChainState,
    peerId: string,
    reply: Reply
  ): Effect.Effect<void, StreamFailure> =>
    Effect.gen(function* () {
      const { custodyGroupCount } = yield* conduct.claim
      const stored = yield* conduct.stored
      const custody = custodyColumns(peer.nodeId, custodyGroupCount)
      const items = wanted.flatMap(({ block, columns }) =>
        custody
          .filter((column) => columns.includes(column) && stored(state, block.slot, column))
          .map((column): ColumnOf => ({ block, column }))
      )
      const blocks = wanted.map(({ block }) => block)
      const columns = [...new Set(wanted.flatMap((entry) => entry.columns))]
      yield* conduct.respond({
        peerId,
        items: conduct.select(items.slice(0, maxRequestDataColumnSidecars), { state, blocks, columns }),
        chunk: (item) => {
          const context = forkDigestOfSlot(parameters, item.block.slot)
          return encodeSuccessChunk(protocol, encodeSidecar(conduct.sidecar(item)), context)
        },
        reply
      })
    })

  /** Clients differ in what they do below their earliest available slot: refuse it, or leave out what they lack. */
  const earliest = Effect.map(conduct.claim, ({ earliestAvailableSlot }) => earliestAvailableSlot)

  const byRange = serve(node, dataColumnSidecarsByRange, (ssz, peerId, reply) =>
    Effect.gen(function* () {
      const request = decodeColumnsByRange(ssz)
      if (Either.isLeft(request)) return yield* invalid(reply, request.left.message)
      const { columns, count, startSlot } = request.right
      if (count === 0) return yield* invalid(reply, "count is 0")
      if (columns.some((column) => column >= numberOfColumns)) return yield* invalid(reply, "there are 128 columns")
      const state = yield* peer.chain.state
      const range = intersect(serveRange(parameters, state.slot), {
        start: startSlot,
        end: startSlot + Math.min(count, maxRequestBlocks) - 1
      })
      if (peer.strict && range.start <= range.end && range.start < (yield* earliest)) {
        return yield* reply.error(resultCodes.resourceUnavailable, "columns pruned within boundary")
      }
      const wanted = canonicalBlocks(state, range)
        .filter(hasSidecars)
        .map((block) => ({ block, columns }))
      yield* respond(dataColumnSidecarsByRange, wanted, state, peerId, reply)
    })
  )

  const byRoot = serve(node, dataColumnSidecarsByRoot, (ssz, peerId, reply) =>
    Effect.gen(function* () {
      const request = decodeColumnsByRoot(ssz)
      if (Either.isLeft(request)) return yield* invalid(reply, request.left.message)
      const total = request.right.reduce((sum, entry) => sum + entry.columns.length, 0)
      if (total > maxRequestDataColumnSidecars) return yield* invalid(reply, "more than 16384 sidecars are asked for")
      const state = yield* peer.chain.state
      const { start } = serveRange(parameters, state.slot)
      const wanted = request.right.flatMap(({ blockRoot, columns }) => {
        const block = state.byRoot.get(blockRoot)
        return block !== undefined && hasSidecars(block) && block.slot >= start ? [{ block, columns }] : []
      })
      yield* respond(dataColumnSidecarsByRoot, wanted, state, peerId, reply)
    })
  )

  return Effect.all([byRange, byRoot], { discard: true })
}

/** The canonical blocks of a range, ascending. */
export const canonicalBlocks = (state: ChainState, range: SlotRange): ReadonlyArray<DevBlock> => {
  const blocks: Array<DevBlock> = []
  for (let slot = range.start; slot <= Math.min(range.end, state.slot); slot++) {
    const block = state.canonical.get(slot)
    if (block !== undefined) blocks.push(block)
  }
  return blocks
}

interface Wanted {
  readonly block: DevBlock
  readonly columns: ReadonlyArray<number>
}

const invalid = (reply: Reply, reason: string) => reply.error(resultCodes.invalidRequest, reason)

const intersect = (a: SlotRange, b: SlotRange): SlotRange => ({
  start: Math.max(a.start, b.start),
  end: Math.min(a.end, b.end)
})
