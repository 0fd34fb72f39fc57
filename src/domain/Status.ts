import { Schema } from "effect"
import { AvailabilityState } from "./availability/SlotVerdict.ts"
import { OutcomeCounts } from "./probe/Outcome.ts"
import { OwnCustodyState } from "./custody/OwnCustodyState.ts"
import { OwnRecordView } from "./OwnRecord.ts"
import { AuditProgress } from "./peer/AuditProgress.ts"
import { CustodyTotals, PeerCounts } from "./peer/PeerTotals.ts"
import { BackfillState } from "./network/BackfillState.ts"
import { BeaconNodeState } from "./network/BeaconNodeState.ts"
import { Slot } from "./Primitives.ts"

/** Whether what is recorded reaches the history, and with `paused` why not, as a sentence that says what to do. */
export const RecordingState = Schema.Struct({
  state: Schema.Literal("recording", "paused"),
  reason: Schema.NullOr(Schema.String),
  /** Records that wait to be written; none is dropped. */
  queued: Schema.Int
})
export type RecordingState = typeof RecordingState.Type

/** How the keeping of evidence is doing, and with `failing` why not, as a sentence that says what to do. */
export const EvidenceState = Schema.Struct({
  state: Schema.Literal("keeping", "failing"),
  reason: Schema.NullOr(Schema.String),
  /** Kept at this moment. */
  pieces: Schema.Int,
  bytes: Schema.Int,
  /** Pieces since the start that could not be kept. */
  lost: Schema.Int
})
export type EvidenceState = typeof EvidenceState.Type

/** The bytes of columns that probes bring, over all peers. */
export const BandwidthState = Schema.Struct({
  /** Bytes a second that they are held to (`bandwidth_limit`); `null` for no limit. */
  limit: Schema.NullOr(Schema.Number),
  /** Bytes a second over about the last half a minute. */
  bytesPerSecond: Schema.Number,
  /** Probes that wait because of the limit. */
  waiting: Schema.Int
})
export type BandwidthState = typeof BandwidthState.Type

/** How the monitor itself is doing: `/status`, `Dasmon.status`. */
export const Status = Schema.Struct({
  network: Schema.String,
  /** Whether this is the embedded devnet and not a real network. */
  simulated: Schema.Boolean,
  headSlot: Slot,
  /** Those that the chain is asked of, in the order of preference; empty where a host tells of the chain itself. */
  beaconNodes: Schema.Array(BeaconNodeState),
  /** Sequence number of the newest event. */
  sequence: Schema.Int,
  uptimeSeconds: Schema.Number,
  peers: Schema.Struct({
    ...PeerCounts.fields,
    /** Passed over because there were too many already, and not tracked since; counted up to 65,536. */
    passedOver: Schema.Int
  }),
  audit: AuditProgress,
  probes: Schema.Struct({ started: Schema.Int, completed: Schema.Int, inFlight: Schema.Int }),
  bandwidth: BandwidthState,
  /** What came of sampling each new block. */
  availability: AvailabilityState,
  outcomes: OutcomeCounts,
  custody: CustodyTotals,
  commitments: Schema.Struct({
    /** Slots whose ground truth is known, of those in the history window (`wanted`). */
    known: Schema.Int,
    wanted: Schema.Int,
    /**
     * The oldest slot that is known, and how many of the newer ones are not. A good part of them makes the monitor not
     * ready. Older ones are not known yet, or cannot be had: a beacon node that was synced from a checkpoint lacks them,
     * which the log says, and which does no harm but that nobody is judged by them.
     */
    oldest: Schema.NullOr(Slot),
    unknown: Schema.Int
  }),
  /** How the ground truth that is still lacking is being had. */
  backfill: BackfillState,
  /** Custody of our own: what our node claims, keeps and serves of columns (`gossip.mode`). */
  ownCustody: OwnCustodyState,
  history: RecordingState,
  evidence: EvidenceState,
  /** Our own ENR; `null` where there is none, because discv5 is off or another node is used. */
  ownRecord: Schema.NullOr(OwnRecordView),
  /** Why the monitor does not trust itself, or its beacon node, at this moment, a sentence each; empty when all is well. */
  doubts: Schema.Array(Schema.String),
  /**
   * Bugs that were met since the start: peers' actors and daemons that died, or failed, and were started again, and work
   * for somebody (a question to the chain, a stream) that died and was given up with an error.
   */
  defects: Schema.Int
}).annotations({ identifier: "Status" })
export type Status = typeof Status.Type
