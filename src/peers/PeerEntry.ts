import { Effect, Option, Ref, SubscriptionRef } from "effect"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import { noOutcomes } from "../domain/probe/Outcome.ts"
import type { PeerAddress } from "../domain/peer/Peer.ts"
import { noConversations } from "../domain/peer/Verdict.ts"
import { type Demand, makeDemand } from "./OnDemandProbes.ts"
import type { PeerState } from "./PeerState.ts"

/** What the supervisor keeps of a peer; it outlives the actor, so that a restart loses nothing. */
export interface PeerEntry {
  readonly address: PeerAddress
  readonly state: Ref.Ref<PeerState>
  /** Whether a connection is up. The supervisor follows the host's events, the actor what it runs into. */
  readonly link: SubscriptionRef.SubscriptionRef<boolean>
  /** Who waits for the peer to be probed. */
  readonly demand: Demand
}

/** A peer that was never spoken to. */
export const makeEntry = (address: PeerAddress): Effect.Effect<PeerEntry> =>
  Effect.gen(function* () {
    const state = yield* Ref.make<PeerState>({
      address,
      nodeId: Option.getRight(nodeIdOfPeerId(address.peerId)),
      agent: null,
      remoteAddress: null,
      connected: false,
      claims: Option.none(),
      outcomes: noOutcomes,
      conversations: noConversations,
      findings: {},
      coverage: Option.none(),
      lastProbeAt: null,
      lastFailure: null
    })
    const link = yield* SubscriptionRef.make(false)
    return { address, state, link, demand: yield* makeDemand(address.peerId, link) }
  })
