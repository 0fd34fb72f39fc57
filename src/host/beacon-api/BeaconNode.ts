import { Effect, Option, Schema } from "effect"
import type { Head } from "../../domain/network/Block.ts"
import { RootFromHex } from "../../domain/Bytes.ts"
import type { Root, Slot } from "../../domain/Primitives.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import type { Checkpoint } from "../../domain/peer/Claim.ts"
import type { BeaconFailure } from "./BeaconFailure.ts"
import { HeaderMessage, Optimistic, rootOfMessage, verified } from "./BeaconHeader.ts"
import type { BeaconHttp } from "./BeaconHttp.ts"
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
export interface Syncing {
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
  /** Fails for a head that the node's execution client has not verified. */
  readonly head: Effect.Effect<Header, BeaconFailure>
  /** Of a block on any branch. */
  readonly header: (root: Root) => Effect.Effect<Option.Option<Header>, BeaconFailure>
  /** Of the canonical block of a slot; some nodes give that of the slot before an empty one. */
  readonly headerAt: (slot: Slot) => Effect.Effect<Option.Option<Header>, BeaconFailure>
  /** By its name rather than by its root, which some nodes do not know it by. */
  readonly genesis: Effect.Effect<Option.Option<Header>, BeaconFailure>
  /** The canonical block of a slot, as the node sees it at this moment. */
  readonly block: BlockRequest
  readonly limits: NodeLimits
  /** Whether roots are taken from its headers where only the body's is not the one that is computed here. */
  readonly trustsRoots: boolean
  /** Of the head's state, so that the same holds as of `head`. */
  readonly finalized: Effect.Effect<Checkpoint, BeaconFailure>
  readonly syncing: Effect.Effect<Syncing, BeaconFailure>
}

export const makeBeaconNode = Effect.fnUntraced(function* (
  http: BeaconHttp,
  chain: ChainParameters,
  trustsRoots: boolean
) {
  const header = (id: string) => Effect.map(maybeJson(http, headerPath(id), HeaderResponse), Option.map(toHeader))

  const node: BeaconNode = {
    name: http.name,
    http,
    chain,
    trustsRoots,
    head: Effect.flatMap(
      maybeJson(http, headerPath("head"), HeaderResponse),
      Option.match({
        onNone: () => bad(http.operation(headerPath("head")), "it has no head"),
        onSome: (response) => Effect.map(verified(http, headerPath("head"), response), toHeader)
      })
    ),
    header: Effect.fnUntraced(function* (root) {
      const found = yield* header(root)
      if (Option.isSome(found) && found.value.root !== root) {
        return yield* bad(http.operation(headerPath(root)), "the header is not of that root")
      }
      return found
    }),
    headerAt: (slot) => header(String(slot)),
    genesis: header("genesis"),
    block: yield* makeBlockRequest(http, chain),
    limits: yield* makeNodeLimits(http.name, chain),
    finalized: getJson(http, finalityPath, FinalityResponse).pipe(
      Effect.flatMap((response) => verified(http, finalityPath, response)),
      Effect.map(({ data }) => data.finalized)
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

const headerPath = (id: string): string => `/eth/v1/beacon/headers/${id}`
const finalityPath = "/eth/v1/beacon/states/head/finality_checkpoints"

const HeaderResponse = Schema.Struct({
  ...Optimistic.fields,
  data: Schema.Struct({ header: Schema.Struct({ message: HeaderMessage }) })
})

const toHeader = ({ data }: typeof HeaderResponse.Type): Header => {
  const { message } = data.header
  return {
    slot: message.slot,
    root: rootOfMessage(message),
    parentRoot: message.parent_root,
    stateRoot: message.state_root,
    proposerIndex: message.proposer_index
  }
}

const FinalityResponse = Schema.Struct({
  ...Optimistic.fields,
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
