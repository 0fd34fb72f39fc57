import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Context, Effect, Layer, Option } from "effect"
import type { StatusMessage } from "../wire/Handshake.ts"
import type { NodeError } from "../wire/Node.ts"
import { BeaconApi, type BeaconApiOptions } from "./beacon-api/BeaconApi.ts"
import { BeaconNodes } from "./BeaconNodes.ts"
import { BlockRoots } from "./BlockRoots.ts"
import { toExternsError } from "./beacon-api/BeaconFailure.ts"
import { makeFindPeer } from "./beacon-api/FindPeer.ts"
import { Externs, type ExternsError } from "./Externs.ts"
import { Gossip } from "./Gossip.ts"
import { GossipTruth } from "./GossipTruth.ts"
import { Host } from "./Host.ts"
import { Identified } from "./Identified.ts"
import { OwnCustody } from "./OwnCustody.ts"
import { ScanHost, type ScanSource } from "./ScanHost.ts"
import { SecondHost } from "./SecondHost.ts"
import { custodyStatus, makeCustodySeat } from "./libp2p/CustodySeat.ts"
import type { IdentityError } from "./libp2p/HostIdentity.ts"
import * as Libp2pHost from "./libp2p/Libp2pHost.ts"
import { makeLocalStatus } from "./libp2p/LocalStatus.ts"
import * as StandaloneExterns from "./StandaloneExterns.ts"

export interface StandaloneOptions extends BeaconApiOptions, Omit<Libp2pHost.Libp2pHostOptions, "status" | "custody"> {
  /** The custody that our node takes on; the least, of which it keeps nothing, if left out. The second one keeps nothing. */
  readonly custodyGroupCount?: number | undefined
  /** A second identity: a node of its own, that says the same of itself. Its agent is that of the first if left out. */
  readonly second?: Pick<Libp2pHost.Libp2pHostOptions, "agent" | "identityFile" | "listen"> | undefined
}

/** The seams of a monitor that stands alone: a beacon node's API and a libp2p node of its own, with its gossip. */
export const layer = (
  options: StandaloneOptions
): Layer.Layer<
  Externs | Host | Gossip | GossipTruth | Identified | ScanHost | SecondHost | OwnCustody | BeaconNodes | BlockRoots,
  ExternsError | NodeError | IdentityError
> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const api = yield* BeaconApi
      const status = yield* makeLocalStatus(api.chain, api)
      const custody = options.custodyGroupCount === undefined ? undefined : makeCustodySeat(options.custodyGroupCount)
      const own = custody === undefined ? status : custodyStatus(status, custody)
      const node = yield* Libp2pHost.makeWithGossip({ ...options, status: own, custody })
      const externs = StandaloneExterns.make(api, Context.get(node, Host), own)
      return node.pipe(
        Context.add(Externs, externs),
        Context.add(BeaconNodes, api.nodes),
        Context.add(GossipTruth, Option.some(api.gossip)),
        Context.add(OwnCustody, Option.fromNullable(custody)),
        Context.add(BlockRoots, api.slotOf),
        Context.add(SecondHost, yield* makeSecond(options, api, status)),
        Context.add(ScanHost, Option.some(yield* makeScanSource(options, api, status)))
      )
    })
  ).pipe(Layer.provide([BeaconApi.layer(options), NodeHttpClient.layerUndici]))

/** Whoever scans meets its peers as somebody who was never seen before, and listens nowhere. */
const makeScanSource = (
  { agent, url, version }: StandaloneOptions,
  api: BeaconApi["Type"],
  status: Effect.Effect<StatusMessage>
) =>
  Effect.map(
    Effect.mapError(makeFindPeer({ urls: typeof url === "string" ? [url] : url }), toExternsError),
    (listed): ScanSource => ({
      listed,
      open: Effect.map(Libp2pHost.makeWithGossip({ version, agent, status, listen: [] }), (node) => {
        const host = Context.get(node, Host)
        return {
          host,
          gossip: Context.get(node, Gossip),
          identified: Context.get(node, Identified),
          peerRefresh: StandaloneExterns.make(api, host, status).peerRefresh
        }
      })
    })
  )

/** Nothing is shared by the two nodes but what they say of the chain; libp2p's metrics are those of the first. */
const makeSecond = Effect.fnUntraced(function* (
  { agent, second, version }: StandaloneOptions,
  api: BeaconApi["Type"],
  status: Effect.Effect<StatusMessage>
) {
  if (second === undefined) return Option.none()
  const node = yield* Libp2pHost.makeWithGossip({ version, agent, status, ...second })
  const host = Context.get(node, Host)
  const { peerRefresh } = StandaloneExterns.make(api, host, status)
  return Option.some({ host, peerRefresh, gossip: Context.get(node, Gossip) })
})
