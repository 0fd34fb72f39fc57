import { Context, type Effect, type Option, Schema } from "effect"
import type { BlockArrivals } from "../../domain/arrival/BlockArrivals.ts"
import type { SlotVerdict } from "../../domain/availability/SlotVerdict.ts"
import type { GossipFault } from "../../domain/gossip/GossipFault.ts"
import type { GossipFaults } from "../../domain/gossip/GossipFaults.ts"
import type { SlotRoot } from "../../domain/network/Block.ts"
import type { Claim } from "../../domain/peer/Claim.ts"
import type { CoverageCounts } from "../../domain/probe/Coverage.ts"
import { type Evasion, noEvasion } from "../../domain/peer/Evasion.ts"
import type { FailedSlot } from "../../domain/peer/Failing.ts"
import type { FindingCounts } from "../../domain/peer/Finding.ts"
import type { Probe } from "../../domain/probe/Job.ts"
import type { OutcomeCounts } from "../../domain/probe/Outcome.ts"
import type { SuspectedSlot } from "../../domain/peer/Suspicions.ts"
import { type Restraint, unrestrained } from "../../domain/peer/Restraint.ts"
import { neutralScore, type Score } from "../../domain/peer/Score.ts"
import type { RecordingState } from "../../domain/Status.ts"
import type { Conversation, ConversationCounts } from "../../domain/peer/Verdict.ts"
import type { PeerId, Root, Slot } from "../../domain/Primitives.ts"
import type { CoverageChunk } from "./CoverageChunk.ts"

/** The store cannot be opened, read or written; `reason` says what to do about it. */
export class HistoryError extends Schema.TaggedError<HistoryError>()("HistoryError", {
  operation: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `history: ${this.operation}: ${this.reason}`
  }
}

/** What is held against a peer and not proven, how much less it is asked, and how far to rely on it: as it was recorded last. */
export interface PeerStanding {
  readonly suspicions: ReadonlyArray<SuspectedSlot>
  readonly evasion: Evasion
  readonly restraint: Restraint
  readonly score: Score
}

export const noStanding: PeerStanding = {
  suspicions: [],
  evasion: noEvasion,
  restraint: unrestrained,
  score: neutralScore
}

/** What is remembered of a peer. */
export interface PeerHistory {
  /** The newest that is known. */
  readonly agent: Option.Option<string>
  /** Where it was reached last. */
  readonly address: Option.Option<string>
  readonly outcomes: OutcomeCounts
  readonly conversations: ConversationCounts
  readonly findings: FindingCounts
  /** Unix milliseconds; none before the first probe. */
  readonly lastProbeAt: Option.Option<number>
  /** The newest blamed failure, as a sentence; while there is none, the newest other one. */
  readonly lastFailure: Option.Option<string>
  /** As of the newest probe that was recorded with it. */
  readonly coverage: Option.Option<CoverageCounts>
  readonly standing: PeerStanding
  /** Combinations that had failed and were delivered later, ever. */
  readonly recovered: number
  /** Unix milliseconds at which the newest probe with a blamed outcome ended; none if there was none. */
  readonly blamedAt: Option.Option<number>
}

/**
 * What was tested of one peer in the 128 slots from `firstSlot`, a multiple of 128. The newest outcome of a combination
 * decides; one that proves nothing (unproven, or ours) leaves it as it was, and one against a block that was orphaned
 * since does not count.
 */
export interface CoverageBlock extends CoverageChunk {
  readonly firstSlot: Slot
}

/** Everything that was ever found out, on disk: every probe, every outcome, claims over time, peers. */
export class History extends Context.Tag("dasmon/History")<
  History,
  {
    /**
     * Queues the probe, to be on disk within 250 ms; waits while the (bounded) queue is full. Its findings are counted
     * too, and `coverage` is how much of what the peer owes was tested with it. A probe whose id is known is not
     * recorded again.
     */
    readonly recordProbe: (probe: Probe, conversation: Conversation, coverage?: CoverageCounts) => Effect.Effect<void>
    /**
     * A block that was canonical and is not any more, heard of at `at` (Unix milliseconds): what was tested of its slot
     * up to then no longer counts as tested, for any peer. The outcomes stay in the sums: they happened.
     */
    readonly recordOrphan: (slot: Slot, root: Root, at: number) => Effect.Effect<void>
    /**
     * What gossip brought of a block. What is told of it later is added: the first arrival of a column stays, and further
     * ones count as copies. Never part of what is told of peers, outcomes or coverage.
     */
    readonly recordArrivals: (arrivals: BlockArrivals) => Effect.Effect<void>
    /** What sampling a block came to; of a block that was sampled before the first verdict stays. */
    readonly recordAvailability: (verdict: SlotVerdict) => Effect.Effect<void>
    /** A wrong column that a peer pushed. Never part of what is told of outcomes, coverage or verdicts. */
    readonly recordGossipFault: (fault: GossipFault) => Effect.Effect<void>
    /** A dial or handshake that failed, with the sentence that describes it. */
    readonly recordConversation: (
      peerId: PeerId,
      conversation: Conversation,
      failure: string,
      at: number
    ) => Effect.Effect<void>
    /** A claim that says the same as the peer's newest one (`sameClaim`) is not recorded again. */
    readonly recordClaim: (peerId: PeerId, claim: Claim) => Effect.Effect<void>
    /** Findings that no probe brought. */
    readonly recordFindings: (peerId: PeerId, findings: FindingCounts) => Effect.Effect<void>
    readonly recordPeer: (
      peerId: PeerId,
      seen: { readonly agent: Option.Option<string>; readonly address: Option.Option<string>; readonly at: number }
    ) => Effect.Effect<void>
    /** Takes the place of what was recorded of the peer's standing before. */
    readonly recordStanding: (peerId: PeerId, standing: PeerStanding) => Effect.Effect<void>
    /** Everything recorded before is on disk when this returns; fails when that is not so within 3 s. */
    readonly flush: Effect.Effect<void, HistoryError>
    /** Whether what is recorded reaches the disk. */
    readonly state: Effect.Effect<RecordingState>
    /** All zero for a peer that was never met. */
    readonly peer: (peerId: PeerId) => Effect.Effect<PeerHistory, HistoryError>
    /** None of a peer that pushed nothing wrong. */
    readonly gossipFaults: (peerId: PeerId) => Effect.Effect<GossipFaults, HistoryError>
    /** Ascending in time. */
    readonly claims: (peerId: PeerId) => Effect.Effect<ReadonlyArray<Claim>, HistoryError>
    /** A probe as it was recorded, its outcomes ascending by slot and column. */
    readonly probe: (id: string) => Effect.Effect<Option.Option<Probe>, HistoryError>
    /**
     * What was tested of a peer in the slots from `fromSlot` on, ascending; blocks that hold nothing are left out. The
     * first may begin, and hold something, before `fromSlot`. The arrays are the caller's own.
     */
    readonly coverage: (peerId: PeerId, fromSlot: Slot) => Effect.Effect<ReadonlyArray<CoverageBlock>, HistoryError>
    /**
     * What a peer failed to deliver, and has not delivered since, of slots whose newest test is at or after `since` (Unix
     * milliseconds): at most `mostFailingSlots`, those with the newest test, which come last. Nothing of a peer that
     * nothing was blamed on since.
     */
    readonly failing: (peerId: PeerId, since: number) => Effect.Effect<ReadonlyArray<FailedSlot>, HistoryError>
    /**
     * The blocks of the slots from `fromSlot` on that outcomes were held against, and that are not known to be orphans.
     * In no order.
     */
    readonly blocks: (fromSlot: Slot) => Effect.Effect<ReadonlyArray<SlotRoot>, HistoryError>
    /** Totals over all peers since the database was made. */
    readonly totals: Effect.Effect<{ readonly probes: number; readonly outcomes: OutcomeCounts }, HistoryError>
  }
>() {}
