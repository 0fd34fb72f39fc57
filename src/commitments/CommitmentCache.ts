import { Context, type Effect, type Option } from "effect"
import type { Block, SlotFacts } from "../domain/Block.ts"
import type { SlotRange } from "../domain/Chain.ts"
import type { ExternsError } from "../host/Externs.ts"

/** Ground truth by slot: filled in the background and on demand, corrected when the chain reorganises. */
export class CommitmentCache extends Context.Tag("dasmon/CommitmentCache")<
  CommitmentCache,
  {
    /**
     * Every slot of the range (at most 128), from memory where known, else asked for once however many ask. Fails when
     * the chain cannot be asked, and for slots above the head.
     */
    readonly range: (range: SlotRange) => Effect.Effect<ReadonlyArray<SlotFacts>, ExternsError>
    /** Asks the chain again, memory or not, and corrects the memory: the last word before anyone is blamed. */
    readonly confirm: (slot: number) => Effect.Effect<SlotFacts, ExternsError>
    /**
     * The slots of the range whose canonical block is known to have columns, ascending. Never asks the chain; what is
     * not known is left out.
     */
    readonly slotsWithColumns: (range: SlotRange) => ReadonlyArray<number>
    /** A block that was canonical once and is no longer. */
    readonly orphan: (root: string) => Option.Option<Block>
    /** Slots known, and slots in the history window. */
    readonly progress: Effect.Effect<{ readonly known: number; readonly wanted: number }>
    /** The newest head that the chain told of. */
    readonly headSlot: Effect.Effect<number>
  }
>() {}
