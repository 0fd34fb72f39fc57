import { Effect, Either, type Scope } from "effect"
import { maxRequestBlocks } from "../../domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import { beaconBlocksByRange, beaconBlocksByRoot } from "../../wire/Protocol.ts"
import { decodeBlocksByRange, decodeBlocksByRoot } from "../../wire/Requests.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import type { Reply, ServingNode } from "../../wire/Server.ts"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import { canonicalBlocks } from "./ColumnServer.ts"
import type { DevBlock } from "../chain/DevBlock.ts"
import type { Conduct, PeerContext } from "../profiles/Profile.ts"
import { serverOf } from "./ServeAdmitted.ts"

/** Serves BeaconBlocksByRange/2 and BeaconBlocksByRoot/2. All profiles are honest about blocks. */
export const serveBlocks = (
  node: ServingNode,
  { chain }: PeerContext,
  conduct: Conduct
): Effect.Effect<void, never, Scope.Scope> => {
  const serve = serverOf(node, conduct)
  const send = (blocks: ReadonlyArray<DevBlock>, reply: Reply): Effect.Effect<void, StreamFailure> =>
    Effect.forEach(blocks, (block) => reply.chunk(block.ssz, forkDigestOfSlot(chain.parameters, block.slot)), {
      discard: true
    })

  const byRange = serve(beaconBlocksByRange, (ssz, _peerId, reply) =>
    Effect.gen(function* () {
      const request = decodeBlocksByRange(ssz)
      if (Either.isLeft(request)) return yield* reply.error(resultCodes.invalidRequest, request.left.message)
      const { count, startSlot } = request.right
      if (count === 0) return yield* reply.error(resultCodes.invalidRequest, "count is 0")
      const state = yield* conduct.view
      const end = startSlot + Math.min(count, maxRequestBlocks) - 1
      yield* send(canonicalBlocks(state, { start: startSlot, end }), reply)
    })
  )

  const byRoot = serve(beaconBlocksByRoot, (ssz, _peerId, reply) =>
    Effect.gen(function* () {
      const request = decodeBlocksByRoot(ssz)
      if (Either.isLeft(request)) return yield* reply.error(resultCodes.invalidRequest, request.left.message)
      const state = yield* conduct.view
      yield* send(
        request.right.flatMap((root) => state.byRoot.get(root) ?? []),
        reply
      )
    })
  )

  return Effect.all([byRange, byRoot], { discard: true })
}
