import { Array as Arr, Effect, Either, type Scope } from "effect"
import {
  maxRequestBlocks,
  maxRequestDataColumnSidecars,
  numberOfColumns,
  serveRange,
  type SlotRange
} from "../../domain/network/Chain.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { encodeSuccessChunk } from "../../wire/Codec.ts"
import { dataColumnSidecarsByRange, dataColumnSidecarsByRoot, type Protocol } from "../../wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../../wire/Requests.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import type { Reply, ServingNode } from "../../wire/Server.ts"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import type { ChainState } from "../chain/ChainState.ts"
import { type DevBlock, encodeSidecar, hasSidecars } from "../chain/DevBlock.ts"
import type { TakenColumns } from "./TakenColumns.ts"
import type { ColumnOf, ColumnRequest, Conduct, PeerContext } from "../profiles/Profile.ts"
import { serverOf } from "./ServeAdmitted.ts"

/**
 * Serves DataColumnSidecarsByRange and ByRoot (fulu/p2p-interface.md): of what is asked, what is in custody and stored,
 * ascending by (slot, column). What becomes of that is up to the peer's conduct.
 */
export const serveColumns = (
  node: ServingNode,
  peer: PeerContext & { readonly taken: TakenColumns },
  conduct: Conduct
): Effect.Effect<void, never, Scope.Scope> => {
  const { parameters } = peer.chain
  const serve = serverOf(node, conduct)

  /** `wanted` is ascending by slot for a range, and in the order of the request for roots. */
  const respond = (
    protocol: Protocol,
    wanted: ReadonlyArray<Wanted>,
    asked: Pick<ColumnRequest, "by" | "claim" | "isBelowClaim" | "peerId" | "view">,
    reply: Reply
  ): Effect.Effect<void, StreamFailure> =>
    Effect.gen(function* () {
      const stored = yield* conduct.stored
      const isPublished = (item: ColumnOf): boolean => item.block.published.has(item.column) || peer.taken.has(item)
      const custody = custodyColumns(peer.nodeId, asked.claim.custodyGroupCount)
      const claimed = wanted.flatMap(({ block, columns }) =>
        custody.filter((column) => columns.includes(column)).map((column): ColumnOf => ({ block, column }))
      )
      const blocks = wanted.map(({ block }) => block)
      const columns = [...new Set(wanted.flatMap((entry) => entry.columns))]
      const request: ColumnRequest = { ...asked, blocks, columns }
      const [absent, items] = Arr.partition(claimed, (item) => isPublished(item) && stored(item, request))
      yield* conduct.respond({
        request,
        items: conduct.select(items.slice(0, maxRequestDataColumnSidecars), request).filter(isPublished),
        lacking: absent.filter(({ block }) => block.slot >= asked.claim.earliestAvailableSlot),
        chunk: (item) =>
          encodeSuccessChunk(
            protocol,
            encodeSidecar(item.block.fork, conduct.sidecar(item)),
            conduct.context(item.block.slot, request)
          ),
        reply
      })
    })

  const byRange = serve(dataColumnSidecarsByRange, (ssz, peerId, reply) =>
    Effect.gen(function* () {
      const request = decodeColumnsByRange(ssz)
      if (Either.isLeft(request)) return yield* invalid(reply, request.left.message)
      const { columns, count, startSlot } = request.right
      if (count === 0) return yield* invalid(reply, "count is 0")
      if (columns.some((column) => column >= numberOfColumns)) return yield* invalid(reply, "there are 128 columns")
      const view = yield* conduct.view
      const claim = yield* conduct.claim
      const range = intersect(serveRange(parameters, view.slot), {
        start: startSlot,
        end: startSlot + Math.min(count, maxRequestBlocks) - 1
      })
      const isBelowClaim = range.start <= range.end && range.start < claim.earliestAvailableSlot
      const wanted = canonicalBlocks(view, range)
        .filter(hasSidecars)
        .map((block) => ({ block, columns }))
      yield* respond(dataColumnSidecarsByRange, wanted, { by: "range", claim, isBelowClaim, peerId, view }, reply)
    })
  )

  const byRoot = serve(dataColumnSidecarsByRoot, (ssz, peerId, reply) =>
    Effect.gen(function* () {
      const request = decodeColumnsByRoot(ssz)
      if (Either.isLeft(request)) return yield* invalid(reply, request.left.message)
      const total = request.right.reduce((sum, entry) => sum + entry.columns.length, 0)
      if (total > maxRequestDataColumnSidecars) return yield* invalid(reply, "more than 16384 sidecars are asked for")
      const view = yield* conduct.view
      const claim = yield* conduct.claim
      const { start } = serveRange(parameters, view.slot)
      const wanted = request.right.flatMap(({ blockRoot, columns }) => {
        const block = view.byRoot.get(blockRoot)
        return block !== undefined && hasSidecars(block) && block.slot >= start ? [{ block, columns }] : []
      })
      yield* respond(dataColumnSidecarsByRoot, wanted, { by: "root", claim, isBelowClaim: false, peerId, view }, reply)
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
