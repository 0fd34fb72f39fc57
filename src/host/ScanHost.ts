import { Context, type Effect, Option, type Scope } from "effect"
import type { PeerId } from "../domain/Primitives.ts"
import type { NodeError } from "../wire/Node.ts"
import type { ListedPeer } from "./beacon-api/ListedPeer.ts"
import type { Externs } from "./Externs.ts"
import type { Gossip } from "./Gossip.ts"
import type { Host } from "./Host.ts"
import type { Identified } from "./Identified.ts"
import type { IdentityError } from "./libp2p/HostIdentity.ts"

/** A libp2p node with an identity that is made for one scan, and is gone with it. */
export interface ScanNode {
  readonly host: Host["Type"]
  /** What a peer says to this node. */
  readonly peerRefresh: Externs["Type"]["peerRefresh"]
  readonly gossip: Gossip["Type"]
  readonly identified: Identified["Type"]
}

export interface ScanSource {
  /** A node that listens nowhere; it leaves its peers by Goodbye, and stops, with the scope. */
  readonly open: Effect.Effect<ScanNode, NodeError | IdentityError, Scope.Scope>
  /** The beacon node's own word on one of its peers. */
  readonly listed: (peerId: PeerId) => Effect.Effect<Option.Option<ListedPeer>, unknown>
}

/** The seam for scans on demand, none unless a host provides one: what is scanned must not meet the monitor's own node. */
export class ScanHost extends Context.Reference<ScanHost>()("dasmon/ScanHost", {
  defaultValue: (): Option.Option<ScanSource> => Option.none()
}) {}
