import { Context, Effect, Layer } from "effect"
import type { NodeError } from "../wire/Node.ts"
import { BeaconApi, type BeaconApiOptions } from "./beacon-api/BeaconApi.ts"
import { Externs, type ExternsError } from "./Externs.ts"
import type { Gossip } from "./Gossip.ts"
import { Host } from "./Host.ts"
import type { IdentityError } from "./libp2p/HostIdentity.ts"
import * as Libp2pHost from "./libp2p/Libp2pHost.ts"
import { makeLocalStatus } from "./libp2p/LocalStatus.ts"
import * as StandaloneExterns from "./StandaloneExterns.ts"

export interface StandaloneOptions extends BeaconApiOptions, Omit<Libp2pHost.Libp2pHostOptions, "status"> {}

/** The seams of a monitor that stands alone: a beacon node's API and a libp2p node of its own, with its gossip. */
export const layer = (
  options: StandaloneOptions
): Layer.Layer<Externs | Host | Gossip, ExternsError | NodeError | IdentityError> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const api = yield* BeaconApi
      const status = yield* makeLocalStatus(api.chain, api)
      const node = yield* Libp2pHost.makeWithGossip({ ...options, status })
      const externs = StandaloneExterns.make(api, Context.get(node, Host), status)
      return Context.add(node, Externs, externs)
    })
  ).pipe(Layer.provide(BeaconApi.layer(options)))
