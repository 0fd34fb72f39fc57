import { Clock, Effect, Either, Option, Schema } from "effect"
import type { NetworkName } from "../../domain/network/NetworkName.ts"
import { decodeNodeRecord } from "../../domain/peer/NodeRecord.ts"
import type { BeaconFailure } from "./BeaconFailure.ts"
import type { BeaconHttp } from "./BeaconHttp.ts"
import { bad, getJson, orFail } from "./BeaconJson.ts"
import { SyncingResponse } from "./BeaconNode.ts"
import { GenesisResponse, SpecResponse } from "./BeaconSpec.ts"
import { otherNetwork } from "./KnownNetworks.ts"
import { type Settled, settleParameters } from "./SettleParameters.ts"

/**
 * Asks a node for the parameters of its network. The preset must be the one that this program runs with, and the network
 * the one that is wanted, if one is.
 */
export const askNetwork = Effect.fnUntraced(function* (
  http: BeaconHttp,
  wanted?: NetworkName
): Effect.fn.Return<Settled, BeaconFailure> {
  const genesis = yield* askGenesis(http)
  const other = wanted === undefined ? Option.none<string>() : otherNetwork(genesis, wanted)
  if (Option.isSome(other)) return yield* bad(http.operation("/eth/v1/beacon/genesis"), other.value)
  return yield* askParameters(http, genesis)
})

export const askGenesis = (http: BeaconHttp) => getJson(http, "/eth/v1/beacon/genesis", GenesisResponse)

/** The parameters over a genesis, and what they can be held against: the node's own record, and the slot that it is at. */
export const askParameters = Effect.fnUntraced(function* (
  http: BeaconHttp,
  genesis: typeof GenesisResponse.Type
): Effect.fn.Return<Settled, BeaconFailure> {
  const spec = yield* getJson(http, "/eth/v1/config/spec", SpecResponse)
  const record = yield* Effect.option(getJson(http, "/eth/v1/node/identity", IdentityResponse)).pipe(
    Effect.map(Option.flatMap(({ data }) => Either.getRight(decodeNodeRecord(data.enr))))
  )
  const syncing = yield* Effect.option(getJson(http, "/eth/v1/node/syncing", SyncingResponse))
  const settled = settleParameters(genesis, spec, {
    now: yield* Clock.currentTimeMillis,
    currentSlot: Option.map(syncing, ({ data }) => data.head_slot + data.sync_distance),
    forkDigest: Option.flatMap(record, ({ forkDigest }) => forkDigest),
    nextForkDigest: Option.flatMap(record, ({ nextForkDigest }) => nextForkDigest)
  })
  return yield* orFail(http.operation("/eth/v1/config/spec"), settled)
})

const IdentityResponse = Schema.Struct({ data: Schema.Struct({ enr: Schema.String }) })
