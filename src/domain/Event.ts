import { Schema } from "effect"
import { ColumnArrival } from "./arrival/ColumnArrival.ts"
import { SlotVerdict } from "./availability/SlotVerdict.ts"
import { GossipFault as Fault } from "./gossip/GossipFault.ts"
import { MatrixProgress } from "./matrix/MatrixProgress.ts"
import { Claim } from "./peer/Claim.ts"
import { Finding } from "./peer/Finding.ts"
import { PeerCoverage } from "./probe/Confidence.ts"
import { Probe } from "./probe/Job.ts"
import { PeerView } from "./peer/PeerView.ts"
import { ScanStep } from "./scan/ScanStep.ts"
import { Status } from "./Status.ts"
import { Conversation } from "./peer/Verdict.ts"
import { PeerId } from "./Primitives.ts"

/** A column that was pushed to us and is wrong; never a part of what is told of custody. */
const GossipFault = Schema.TaggedStruct("GossipFault", { fault: Fault })

/** A finished probe and the outcome of every combination in it. */
export const Sampling = Schema.TaggedStruct("Sampling", {
  probe: Probe,
  /** How it went as a conversation, whatever came of the single combinations. */
  conversation: Conversation,
  /** How much of what the peer owes is tested with it, and what that says. */
  coverage: Schema.NullOr(PeerCoverage)
})
export type Sampling = typeof Sampling.Type

/**
 * A peer's claim, when first heard, whenever it changes, and whenever something is odd about it. Of a peer that changes
 * it all the time several changes are told as one: `previous` is what was told before, `findings` has each kind once.
 */
export const CustodyUpdate = Schema.TaggedStruct("CustodyUpdate", {
  peerId: PeerId,
  claim: Claim,
  previous: Schema.NullOr(Claim),
  findings: Schema.Array(Finding)
})
export type CustodyUpdate = typeof CustodyUpdate.Type

/** A peer came, went, moved to another address, changed its verdict or could not be spoken to. */
export const NodeTracking = Schema.TaggedStruct("NodeTracking", {
  peerId: PeerId,
  change: Schema.Literal("tracked", "connected", "disconnected", "failed", "address", "verdict", "forgotten"),
  /** A sentence for a person: the agent, the reason of a failure, the new verdict. */
  detail: Schema.String,
  peer: PeerView
})
export type NodeTracking = typeof NodeTracking.Type

/** The engine's status, every so often. */
export const SystemSnapshot = Schema.TaggedStruct("SystemSnapshot", { status: Status })
export type SystemSnapshot = typeof SystemSnapshot.Type

/** A scan that somebody asked for goes on, or is over. */
export const ScanProgress = Schema.TaggedStruct("ScanProgress", {
  /** UUID; the scan can be read by it. */
  scanId: Schema.String,
  peerId: PeerId,
  step: ScanStep,
  /** What it came to, once it is over: a `ScanVerdict`. */
  verdict: Schema.NullOr(Schema.String)
})
export type ScanProgress = typeof ScanProgress.Type

/** A block was sampled, and this came of it. */
export const SlotAvailability = Schema.TaggedStruct("SlotAvailability", SlotVerdict.fields)
export type SlotAvailability = typeof SlotAvailability.Type

/** Everything that can happen, before it is numbered. */
export const EventBody = Schema.Union(
  Sampling,
  CustodyUpdate,
  NodeTracking,
  SystemSnapshot,
  ScanProgress,
  ColumnArrival,
  MatrixProgress,
  SlotAvailability,
  GossipFault
)
export type EventBody = typeof EventBody.Type

const stamp = {
  /** Ascending by one from 1, in the order in which events are delivered. */
  sequence: Schema.Int,
  /** Unix milliseconds. */
  timestamp: Schema.Number
}

/** An event as it leaves the bus. */
export const Event = Schema.Union(
  Schema.extend(Sampling, Schema.Struct(stamp)),
  Schema.extend(CustodyUpdate, Schema.Struct(stamp)),
  Schema.extend(NodeTracking, Schema.Struct(stamp)),
  Schema.extend(SystemSnapshot, Schema.Struct(stamp)),
  Schema.extend(ScanProgress, Schema.Struct(stamp)),
  Schema.extend(ColumnArrival, Schema.Struct(stamp)),
  Schema.extend(MatrixProgress, Schema.Struct(stamp)),
  Schema.extend(SlotAvailability, Schema.Struct(stamp)),
  Schema.extend(GossipFault, Schema.Struct(stamp))
)
export type Event = EventBody & { readonly sequence: number; readonly timestamp: number }

/** What kinds of events there are. */
export const EventTag = Schema.Literal(
  "Sampling",
  "CustodyUpdate",
  "NodeTracking",
  "SystemSnapshot",
  "ScanProgress",
  "ColumnArrival",
  "MatrixProgress",
  "SlotAvailability",
  "GossipFault"
)
export type EventTag = typeof EventTag.Type

/** The events of one kind. */
export type EventOf<Tag extends EventTag> = Extract<Event, { readonly _tag: Tag }>

/** In place of events that are lost: those from one sequence number to another, both included. */
export const Gap = Schema.TaggedStruct("Gap", { from: Schema.Int, to: Schema.Int })
export type Gap = typeof Gap.Type
