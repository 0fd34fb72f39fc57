import { Effect, Either, Option, ParseResult, Ref, Schema } from "effect"
import type { Block, Head } from "../../domain/network/Block.ts"
import { fromHex, RootFromHex } from "../../domain/Bytes.ts"
import type { Epoch, Root } from "../../domain/Primitives.ts"
import { type ChainParameters, epochOf, forkAt } from "../../domain/network/Chain.ts"
import { type DecodedBlock, decodeBlock, headerRoot } from "./BeaconBlock.ts"
import { type BeaconAnswer, BeaconFailure, type BeaconHttp, jsonType, sszType } from "./BeaconHttp.ts"
import { chainParameters, GenesisResponse, SafeUint64, SpecResponse } from "./BeaconSpec.ts"

/** A header and the root that follows from it. */
export interface Header extends Head {
  readonly parentRoot: Root
}

/** How far a node is with following the chain. */
interface Syncing {
  readonly headSlot: number
  /** Slots that it is behind. */
  readonly distance: number
  readonly isSyncing: boolean
  readonly isOptimistic: boolean
  readonly isElOffline: boolean
}

/** The endpoints of one beacon node. None is "404": there is no such thing, or the node does not have it. */
export interface BeaconNode {
  readonly name: string
  readonly http: BeaconHttp
  readonly chain: ChainParameters
  readonly head: Effect.Effect<Header, BeaconFailure>
  readonly header: (root: Root) => Effect.Effect<Option.Option<Header>, BeaconFailure>
  /** The canonical block of a slot, as the node sees it at this moment. */
  readonly block: (slot: number) => Effect.Effect<Option.Option<DecodedBlock>, BeaconFailure>
  /** Whether the payload of a block's bid was revealed; `unknown` while it may still be, at `headSlot`. */
  readonly payload: (block: DecodedBlock, headSlot: number) => Effect.Effect<Block["payload"], BeaconFailure>
  readonly finalized: Effect.Effect<{ readonly epoch: Epoch; readonly root: Root }, BeaconFailure>
  readonly syncing: Effect.Effect<Syncing, BeaconFailure>
}

/** Asks genesis and configuration; the preset must be the one that this program runs with. */
export const makeBeaconNode = Effect.fnUntraced(function* (http: BeaconHttp) {
  const genesis = yield* getJson(http, "/eth/v1/beacon/genesis", GenesisResponse)
  const spec = yield* getJson(http, "/eth/v1/config/spec", SpecResponse)
  const chain = yield* orFail(http.operation("/eth/v1/config/spec"), chainParameters(genesis, spec))

  const header = Effect.fnUntraced(function* (id: string) {
    const path = `/eth/v1/beacon/headers/${id}`
    const response = yield* maybeJson(http, path, HeaderResponse)
    return Option.map(response, ({ data }): Header => {
      const { body_root, parent_root, proposer_index, slot, state_root } = data.header.message
      const root = headerRoot({
        slot,
        proposerIndex: proposer_index,
        parentRoot: fromHex(parent_root),
        stateRoot: fromHex(state_root),
        bodyRoot: fromHex(body_root)
      })
      return { slot, root, parentRoot: parent_root }
    })
  })

  // Some nodes lack the smaller form; the head always exists, so a 404 for it means the endpoint.
  const knownBlinded = yield* Ref.make(Option.none<boolean>())
  const hasBlinded = Effect.flatMap(
    knownBlinded,
    Option.match({
      onSome: Effect.succeed,
      onNone: () =>
        http.get("/eth/v1/beacon/blinded_blocks/head", anyType).pipe(
          Effect.map(Option.isSome),
          Effect.catchIf(
            (error) => Option.isSome(error.status) && !error.transient,
            () => Effect.succeed(false)
          ),
          Effect.tap((has) => Ref.set(knownBlinded, Option.some(has)))
        )
    })
  )

  const block = Effect.fnUntraced(function* (slot: number) {
    const blinded = forkAt(chain, epochOf(chain, slot)).name !== "gloas" && (yield* hasBlinded)
    const path = blinded ? `/eth/v1/beacon/blinded_blocks/${slot}` : `/eth/v2/beacon/blocks/${slot}`
    const answer = yield* http.get(path, anyType)
    if (Option.isNone(answer)) return Option.none()
    const found = yield* decodeAnswer(http, path, answer.value, chain, blinded)
    if (found.slot !== slot) {
      return yield* bad(http.operation(path), `asked for slot ${slot}, got the block of slot ${found.slot}`)
    }
    return Option.some(found)
  })

  const node: BeaconNode = {
    name: http.name,
    http,
    chain,
    head: Effect.flatMap(
      header("head"),
      Option.match({
        onNone: () => bad(http.operation("/eth/v1/beacon/headers/head"), "it has no head"),
        onSome: Effect.succeed
      })
    ),
    header: Effect.fnUntraced(function* (root) {
      const found = yield* header(root)
      if (Option.isSome(found) && found.value.root !== root) {
        return yield* bad(http.operation(`/eth/v1/beacon/headers/${root}`), "the header is not of that root")
      }
      return found
    }),
    block,
    payload: Effect.fnUntraced(function* (block, headSlot) {
      if (block.fork !== "gloas" || block.commitments.length === 0) return "full"
      const answer = yield* http.get(`/eth/v1/beacon/execution_payload_envelopes/${block.root}`, anyType)
      if (Option.isSome(answer)) return "full"
      return headSlot - block.slot >= slotsToReveal ? "empty" : "unknown"
    }),
    finalized: Effect.map(
      getJson(http, "/eth/v1/beacon/states/head/finality_checkpoints", FinalityResponse),
      ({ data }) => data.finalized
    ),
    syncing: Effect.map(getJson(http, "/eth/v1/node/syncing", SyncingResponse), ({ data }) => ({
      headSlot: data.head_slot,
      distance: data.sync_distance,
      isSyncing: data.is_syncing,
      isOptimistic: data.is_optimistic ?? false,
      isElOffline: data.el_offline ?? false
    }))
  }
  return node
})

/** SSZ where the node can, JSON else. */
const anyType = `${sszType};q=1.0,${jsonType};q=0.9`

/** A payload is revealed within its own slot; a node that is a little behind is given one more. */
const slotsToReveal = 2

const HeaderResponse = Schema.Struct({
  data: Schema.Struct({
    header: Schema.Struct({
      message: Schema.Struct({
        slot: SafeUint64,
        proposer_index: SafeUint64,
        parent_root: RootFromHex,
        state_root: RootFromHex,
        body_root: RootFromHex
      })
    })
  })
})

const FinalityResponse = Schema.Struct({
  data: Schema.Struct({ finalized: Schema.Struct({ epoch: SafeUint64, root: RootFromHex }) })
})

const SyncingResponse = Schema.Struct({
  data: Schema.Struct({
    head_slot: SafeUint64,
    sync_distance: SafeUint64,
    is_syncing: Schema.Boolean,
    is_optimistic: Schema.optional(Schema.Boolean),
    el_offline: Schema.optional(Schema.Boolean)
  })
})

const BlockResponse = Schema.Struct({ version: Schema.optional(Schema.String), data: Schema.Unknown })

const bad = (operation: string, reason: string): Effect.Effect<never, BeaconFailure> =>
  Effect.fail(new BeaconFailure({ operation, reason, status: Option.none(), transient: false }))

const orFail = <A>(operation: string, result: Either.Either<A, string>): Effect.Effect<A, BeaconFailure> =>
  Either.match(result, { onLeft: (reason) => bad(operation, reason), onRight: Effect.succeed })

const maybeJson = Effect.fnUntraced(function* <A, I>(http: BeaconHttp, path: string, schema: Schema.Schema<A, I>) {
  const answer = yield* http.get(path, jsonType)
  if (Option.isNone(answer)) return Option.none<A>()
  return Option.some(yield* decodeJson(http, path, answer.value, schema))
})

const getJson = Effect.fnUntraced(function* <A, I>(http: BeaconHttp, path: string, schema: Schema.Schema<A, I>) {
  const answer = yield* maybeJson(http, path, schema)
  return Option.isSome(answer)
    ? answer.value
    : yield* bad(http.operation(path), "HTTP 404: is this a beacon node's API?")
})

const decodeJson = <A, I>(
  http: BeaconHttp,
  path: string,
  answer: BeaconAnswer,
  schema: Schema.Schema<A, I>
): Effect.Effect<A, BeaconFailure> =>
  answer.contentType !== jsonType
    ? bad(http.operation(path), `expected ${jsonType}, got ${answer.contentType || "no content type"}`)
    : Schema.decodeUnknown(Schema.parseJson(schema))(Buffer.from(answer.body).toString("utf8")).pipe(
        Effect.catchAll((error) => bad(http.operation(path), describe(error)))
      )

/** The first thing that is wrong, on one line. */
const describe = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const text = issue === undefined ? error.message : `${issue.path.join(".") || "the answer"}: ${issue.message}`
  return `the answer is not what was expected: ${text.replace(/\s+/g, " ").slice(0, 200)}`
}

const decodeAnswer = Effect.fnUntraced(function* (
  http: BeaconHttp,
  path: string,
  answer: BeaconAnswer,
  chain: ChainParameters,
  blinded: boolean
) {
  if (answer.contentType === sszType) {
    const block = decodeBlock(chain, { _tag: "Ssz", bytes: answer.body, version: answer.version, blinded })
    return yield* orFail(http.operation(path), block)
  }
  const { data, version } = yield* decodeJson(http, path, answer, BlockResponse)
  const block = decodeBlock(chain, { _tag: "Json", json: data, version: version ?? answer.version, blinded })
  return yield* orFail(http.operation(path), block)
})
