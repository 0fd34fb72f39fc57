import { Option } from "effect"
import { type ClaimHistory, startClaims } from "../../src/domain/peer/ClaimHistory.ts"
import { neutralScore } from "../../src/domain/peer/Score.ts"
import type { KnownPeer } from "../../src/peers/PeerActor.ts"
import type { TrackedPeer } from "../../src/peers/Peers.ts"
import { claim } from "../history/store/Fixture.ts"

/** A peer that is connected, and of which nothing special is known. */
export const trackedPeer = (peerId: string, more: Partial<TrackedPeer> = {}): TrackedPeer => ({
  peerId,
  isConfigured: false,
  isConnected: true,
  connectedSince: Option.some(0),
  isDialable: true,
  failedVisits: 0,
  notDialled: 0,
  leftAloneUntil: 0,
  refusal: Option.none(),
  isSettled: true,
  isCounted: false,
  agent: Option.none(),
  remoteAddress: Option.none(),
  claim: Option.none(),
  lastProbeAt: Option.none(),
  score: neutralScore.value,
  scoredAt: neutralScore.at,
  ...more
})

/** The same peer, as its actor knows it. */
export const knownPeer = (peerId: string, more: Partial<KnownPeer> = {}): KnownPeer => ({
  address: { peerId, multiaddrs: [], enrCustodyGroupCount: Option.none() },
  agent: Option.none(),
  claims: Option.none(),
  connected: true,
  findings: {},
  nodeId: Option.none(),
  score: neutralScore,
  isProvider: false,
  ...more
})

/** The claim of a peer that keeps all columns of all slots up to its head. */
export const claimsOfAll = (headSlot: number): ClaimHistory =>
  startClaims({
    ...claim({ custodyGroupCount: 128 }),
    columns: Array.from({ length: 128 }, (_, column) => column),
    earliestAvailableSlot: 0,
    headSlot
  })
