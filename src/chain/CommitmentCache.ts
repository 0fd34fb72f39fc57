import { Context, type Effect, type Option } from "effect"
import type { BackfillState } from "../domain/network/BackfillState.ts"
import type { Block, SlotFacts, SlotRoot } from "../domain/network/Block.ts"
import type { SlotRange } from "../domain/network/Chain.ts"
import type { Checkpoint } from "../domain/peer/Claim.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { ExternsError } from "../host/Externs.ts"

/** How much of the ground truth is known, in slots. */
export interface Progress {
  readonly known: number
  /** Slots in the history window. */
  readonly wanted: number
  /** The oldest one that is known. Older ones are not asked for yet, or the beacon node does not have them. */
  readonly oldest: Option.Option<Slot>
  /** Slots from `oldest` on that are not known. */
  readonly unknown: number
}

/** Ground truth by slot: filled in the background and on demand, corrected when the chain reorganises. */
export class CommitmentCache extends Context.Tag("dasmon/CommitmentCache")<
  CommitmentCache,
  {
    /**
     * The slots of the range (at most 128), from memory where known, else asked for once however many ask. A slot that the
     * chain cannot tell is left out. Fails when it tells none of them, and for slots above the head.
     */
    readonly range: (range: SlotRange) => Effect.Effect<ReadonlyArray<SlotFacts>, ExternsError>
    /** Asks the chain again, memory or not, and corrects the memory: the last word before anyone is blamed. */
    readonly confirm: (slot: Slot) => Effect.Effect<SlotFacts, ExternsError>
    /**
     * The slots of a tile (domain/network/Tile) whose canonical block is known to have columns. Never asks the chain; what is
     * not known is left out.
     */
    readonly columnSlots: (tile: number) => number
    /**
     * Blocks that were taken for canonical until another one, or none, was found in their slot, in the order in which
     * that was heard, without the first `seen` of them; with how many there are by now.
     */
    readonly replacedSince: (seen: number) => { readonly seen: number; readonly blocks: ReadonlyArray<SlotRoot> }
    /** A block that was canonical once and is no longer. */
    readonly orphan: (root: Root) => Option.Option<Block>
    readonly progress: Effect.Effect<Progress>
    readonly backfill: Effect.Effect<BackfillState>
    /** The newest head that the chain told of. */
    readonly headSlot: Effect.Effect<Slot>
    /** The newest finalized checkpoint that the chain told of. */
    readonly finalized: Effect.Effect<Option.Option<Checkpoint>>
    /**
     * Whether the block of a checkpoint, which some peer says is final, is one of this chain: then every older block of
     * it is an ancestor of both. `unknown` above the head, outside the window, and while the chain does not answer.
     */
    readonly compare: (checkpoint: Checkpoint) => Effect.Effect<"ours" | "other" | "unknown">
  }
>() {}
