import { Data, type Option } from "effect"
import type { BlockArrivals } from "../../domain/arrival/BlockArrivals.ts"
import type { SlotVerdict } from "../../domain/availability/SlotVerdict.ts"
import type { GossipFault } from "../../domain/gossip/GossipFault.ts"
import type { Claim } from "../../domain/peer/Claim.ts"
import type { CoverageCounts } from "../../domain/probe/Coverage.ts"
import type { FindingCounts } from "../../domain/peer/Finding.ts"
import type { Probe } from "../../domain/probe/Job.ts"
import type { PeerStanding } from "./History.ts"
import type { Conversation } from "../../domain/peer/Verdict.ts"

/** One thing to remember, as it waits to be written. */
export type HistoryRecord = Data.TaggedEnum<{
  Probe: {
    readonly probe: Probe
    readonly conversation: Conversation
    readonly coverage: Option.Option<CoverageCounts>
  }
  Conversation: {
    readonly peerId: string
    readonly conversation: Conversation
    readonly failure: string
    readonly at: number
  }
  Claim: { readonly peerId: string; readonly claim: Claim }
  Findings: { readonly peerId: string; readonly findings: FindingCounts }
  Standing: { readonly peerId: string; readonly standing: PeerStanding }
  Peer: {
    readonly peerId: string
    readonly agent: Option.Option<string>
    readonly address: Option.Option<string>
    readonly at: number
  }
  Arrivals: { readonly arrivals: BlockArrivals }
  GossipFault: { readonly fault: GossipFault }
  Orphan: { readonly slot: number; readonly root: string; readonly at: number }
  Availability: { readonly verdict: SlotVerdict }
}>
export const HistoryRecord = Data.taggedEnum<HistoryRecord>()

/** One that is about a peer. */
export type PeerRecord = Exclude<
  HistoryRecord,
  { readonly _tag: "Orphan" | "Arrivals" | "Availability" | "GossipFault" }
>
export const PeerRecord = Data.taggedEnum<PeerRecord>()
