/** The package `dasmon/host`: a libp2p node and a chain for whoever has none: the seams over libp2p and a Beacon API. */
import "../wire/Polyfill.ts"

export type { BeaconApiOptions } from "../host/beacon-api/BeaconApi.ts"
export { IdentityError } from "../host/libp2p/HostIdentity.ts"
export * as Libp2pHost from "../host/libp2p/Libp2pHost.ts"
export * as Standalone from "../host/Standalone.ts"
export type { StatusMessage } from "../wire/Handshake.ts"
export { NodeError } from "../wire/Node.ts"
export { makeNodeMetrics, type NodeMetrics } from "../wire/NodeMetrics.ts"
