import { Effect, Option, Schema } from "effect"
import type { Head } from "../../domain/network/Block.ts"
import { fromHex, RootFromHex } from "../../domain/Bytes.ts"
import type { Epoch, Root } from "../../domain/Primitives.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { headerRoot } from "./BeaconBlock.ts"
import type { BeaconFailure, BeaconHttp } from "./BeaconHttp.ts"
import { bad, getJson, maybeJson } from "./BeaconJson.ts"
import { type BlockRequest, makeBlockRequest } from "./BlockRequests.ts"
import { makeNodeLimits, type NodeLimits } from "./NodeLimits.ts"
import { SafeUint64 } from "./BeaconSpec.ts"

/** A header and the root that follows from it. */
export interface Header extends Head {
  readonly parentRoot: Root
  readonly stateRoot: Root
  readonly proposerIndex: number
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
  /** Of a block on any branch. */
  readonly header: (root: Root) => Effect.Effect<Option.Option<Header>, BeaconFailure>
  /** By its name rather than by its root, which some nodes do not know it by. */
  readonly genesis: Effect.Effect<Option.Option<Header>, BeaconFailure>
  /** The canonical block of a slot, as the node sees it at this moment. */
  readonly block: BlockRequest
  readonly limits: NodeLimits
  /** Whether roots are taken from its headers where only the body's is not the one that is computed here. */
  readonly trustsRoots: boolean
  readonly finalized: Effect.Effect<{ readonly epoch: Epoch; readonly root: Root }, BeaconFailure>
  readonly syncing: Effect.Effect<Syncing, BeaconFailure>
}

export const makeBeaconNode = Effect.fnUntraced(function* (
  http: BeaconHttp,
  chain: ChainParameters,
  trustsRoots: boolean
) {
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
      return { slot, root, parentRoot: parent_root, stateRoot: state_root, proposerIndex: proposer_index }
    })
  })

  const node: BeaconNode = {
    name: http.name,
    http,
    chain,
    trustsRoots,
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
    genesis: header("genesis"),
    block: yield* makeBlockRequest(http, chain),
    limits: yield* makeNodeLimits(http.name, chain),
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

/** GET /eth/v1/node/syncing. */
export const SyncingResponse = Schema.Struct({
  data: Schema.Struct({
    head_slot: SafeUint64,
    sync_distance: SafeUint64,
    is_syncing: Schema.Boolean,
    is_optimistic: Schema.optional(Schema.Boolean),
    el_offline: Schema.optional(Schema.Boolean)
  })
})
