import { Context, Option } from "effect"
import type { Externs } from "./Externs.ts"
import type { Gossip } from "./Gossip.ts"
import type { Host } from "./Host.ts"

/** Another libp2p node, of which nobody can tell that it is ours too, but by its address. */
export interface SecondIdentity {
  /** With a key of its own; nothing that the first node says or does may name it. */
  readonly host: Host["Type"]
  /** What the peer says to this node: Status and MetaData; the handshake, when it is the first time. */
  readonly peerRefresh: Externs["Type"]["peerRefresh"]
  /** Its gossip; without it the node is on no topic. */
  readonly gossip?: Gossip["Type"]
}

/**
 * The seam for a second identity, none unless a host provides one: a peer that serves the monitor alone is told from one
 * that serves everybody by what it gives, and claims, to whom it does not take for the monitor (`second/SecondLook`).
 */
export class SecondHost extends Context.Reference<SecondHost>()("dasmon/SecondHost", {
  defaultValue: (): Option.Option<SecondIdentity> => Option.none()
}) {}
