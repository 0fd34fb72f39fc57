import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { type electra, ssz } from "@lodestar/types"
import { Effect, Either } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { epochOf } from "../../domain/network/Chain.ts"
import { checkpointAt, type ChainState, finalizedBlock, isCanonical } from "../chain/ChainState.ts"
import type { DevBlock } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import { preferredFormat } from "./Accept.ts"
import { EndpointError, type ApiRequest, badRequest, data, get, notFound } from "./Endpoint.ts"
import { parseSlot } from "./BlockId.ts"
import type { Habits } from "./Habits.ts"

/** Headers, blocks and checkpoints. */
export const blockRoutes = (chain: DevChain, habits: Habits) => {
  const found = (id: string): Effect.Effect<readonly [DevBlock, ChainState], EndpointError> =>
    Effect.flatMap(chain.state, (state) => Effect.map(habits.find(state, id), (block) => [block, state] as const))

  /** Meta data that stand beside a block: whether finality covers it. */
  const flags = (block: DevBlock, state: ChainState) => ({
    execution_optimistic: habits.isOptimistic,
    finalized: isCanonical(state, block) && block.slot <= finalizedBlock(chain.parameters, state).slot
  })

  const finality = (state: ChainState, slot: number) => {
    const epoch = epochOf(chain.parameters, slot)
    const checkpoint = (back: number) => {
      const { epoch: at, root } = checkpointAt(chain.parameters, state, epoch - back)
      return { epoch: String(at), root: habits.checkpointRoot(root) }
    }
    return { previous_justified: checkpoint(2), current_justified: checkpoint(1), finalized: checkpoint(2) }
  }

  return [
    get("/eth/v1/beacon/headers", (request) =>
      Effect.gen(function* () {
        const state = yield* chain.state
        const blocks = (yield* headerQuery(request, state)).filter(habits.knows)
        return data(
          blocks.map((block) => headerJson(block, state)),
          { execution_optimistic: false, finalized: false }
        )
      })
    ),
    get("/eth/v1/beacon/headers/:id", (request) =>
      Effect.map(found(request.path("id")), ([block, state]) => data(headerJson(block, state), flags(block, state)))
    ),
    get("/eth/v1/beacon/blocks/:id/root", (request) =>
      Effect.map(found(request.path("id")), ([block, state]) => data({ root: block.root }, flags(block, state)))
    ),
    get("/eth/v2/beacon/blocks/:id", (request) =>
      Effect.flatMap(found(request.path("id")), ([block, state]) =>
        blockResponse(request, block, flags(block, state), {
          bytes: () => block.ssz,
          json: () => jsonOf(block)
        })
      )
    ),
    get("/eth/v1/beacon/blinded_blocks/:id", (request) =>
      Effect.flatMap(found(request.path("id")), ([block, state]) =>
        block.fork === "gloas"
          ? Effect.fail(badRequest("there are no blinded blocks from Gloas on"))
          : blockResponse(request, block, flags(block, state), {
              bytes: () => ssz.electra.SignedBlindedBeaconBlock.serialize(blindedBlock(block)),
              json: () => ssz.electra.SignedBlindedBeaconBlock.toJson(blindedBlock(block))
            })
      )
    ),
    get("/eth/v1/beacon/states/:id/finality_checkpoints", (request) =>
      Effect.gen(function* () {
        const id = request.path("id")
        const state = yield* chain.state
        const slot = /^[0-9]+$/.test(id) ? yield* stateSlot(id, state) : (yield* found(id))[0].slot
        return data(finality(state, slot), { execution_optimistic: habits.isOptimistic, finalized: false })
      })
    )
  ]
}

/** A state, other than a block, exists for every slot. */
const stateSlot = (id: string, state: ChainState): Either.Either<number, EndpointError> =>
  Either.filterOrLeft(
    parseSlot(id),
    (slot) => slot <= state.slot,
    () => notFound(`there is no state at slot ${id}`)
  )

const headerQuery = (request: ApiRequest, state: ChainState): Either.Either<ReadonlyArray<DevBlock>, EndpointError> => {
  const slot = request.query("slot")[0]
  const parent = request.query("parent_root")[0]
  if (slot === undefined && parent === undefined) return Either.right([state.head])
  if (parent !== undefined && !/^0x[0-9a-fA-F]{64}$/.test(parent))
    return Either.left(badRequest("parent_root is no root"))
  const wanted = slot === undefined ? Either.right(undefined) : parseSlot(slot)
  return Either.map(wanted, (wanted) =>
    [...state.byRoot.values()].filter(
      (block) =>
        (wanted === undefined || block.slot === wanted) &&
        (parent === undefined || toHex(block.header.message.parentRoot) === parent.toLowerCase())
    )
  )
}

const jsonOf = ({ fork, ssz: bytes }: DevBlock): unknown =>
  fork === "gloas"
    ? ssz.gloas.SignedBeaconBlock.toJson(ssz.gloas.SignedBeaconBlock.deserialize(bytes))
    : ssz.electra.SignedBeaconBlock.toJson(ssz.electra.SignedBeaconBlock.deserialize(bytes))

/** The block with the header of its execution payload in the payload's place: the same root, fewer bytes. */
const blindedBlock = (block: DevBlock): electra.SignedBlindedBeaconBlock => {
  const { message, signature } = ssz.electra.SignedBeaconBlock.deserialize(block.ssz)
  const { executionPayload, ...body } = message.body
  const { transactions, withdrawals, ...common } = executionPayload
  const executionPayloadHeader = {
    ...common,
    transactionsRoot: ssz.bellatrix.Transactions.hashTreeRoot(transactions),
    withdrawalsRoot: ssz.capella.Withdrawals.hashTreeRoot(withdrawals)
  }
  return { message: { ...message, body: { ...body, executionPayloadHeader } }, signature }
}

const headerJson = (block: DevBlock, state: ChainState) => ({
  root: block.root,
  canonical: isCanonical(state, block),
  header: ssz.phase0.SignedBeaconBlockHeader.toJson(block.header)
})

interface Encodings {
  readonly bytes: () => Uint8Array
  readonly json: () => unknown
}

const blockResponse = (
  request: ApiRequest,
  block: DevBlock,
  flags: Readonly<Record<string, unknown>>,
  encodings: Encodings
): Effect.Effect<HttpServerResponse.HttpServerResponse, EndpointError> => {
  const format = preferredFormat(request.accept)
  if (format === undefined) {
    return Effect.fail(new EndpointError({ code: 406, reason: "blocks come as JSON or as application/octet-stream" }))
  }
  const response =
    format === "application/octet-stream"
      ? HttpServerResponse.uint8Array(encodings.bytes(), { contentType: format })
      : data(encodings.json(), { version: block.fork, ...flags })
  return Effect.succeed(HttpServerResponse.setHeader(response, "Eth-Consensus-Version", block.fork))
}
