import type { Option } from "effect"
import type { BlockProof } from "./BlockProof.ts"
import type { ForkName } from "./Chain.ts"
import type { Epoch, Root, Slot } from "../Primitives.ts"

/** A canonical block, as far as custody goes: the ground truth that sidecars are held against. */
export interface Block {
  readonly slot: Slot
  readonly root: Root
  readonly parentRoot: Root
  readonly fork: ForkName
  /** 48 bytes each, in row order: body.blob_kzg_commitments, from Gloas on those of the payload bid. */
  readonly commitments: ReadonlyArray<Uint8Array>
  /** 96 bytes: the proposer's, as the signed block has it; none where the host does not know it. */
  readonly signature: Option.Option<Uint8Array>
  /** From Gloas on a bid's payload may never be revealed, and then no columns exist: only `full` can be judged. */
  readonly payload: "full" | "empty" | "unknown"
  /** With it the block is kept on disk, and its root computed again when it is read; a host may leave it out. */
  readonly proof?: BlockProof | undefined
}

/** Whether columns of this block must exist. */
export const hasColumns = (block: Block): boolean => block.commitments.length > 0 && block.payload === "full"

/** What is known of one slot: its canonical block, or that it has none. */
export type SlotFacts =
  | { readonly _tag: "Block"; readonly block: Block }
  | { readonly _tag: "Empty"; readonly slot: Slot }

export const slotOf = (facts: SlotFacts): Slot => (facts._tag === "Empty" ? facts.slot : facts.block.slot)

/** None for a slot without a block. */
export const rootOf = (facts: SlotFacts): Root | undefined => (facts._tag === "Empty" ? undefined : facts.block.root)

export interface Head {
  readonly slot: Slot
  readonly root: Root
}

/** What a beacon node tells of its chain as it grows. */
export type ChainEvent =
  | { readonly _tag: "Head"; readonly head: Head }
  | { readonly _tag: "Finalized"; readonly epoch: Epoch; readonly root: Root }
  /** Blocks of the last `depth` slots up to `slot` may have changed. */
  | { readonly _tag: "Reorg"; readonly slot: Slot; readonly depth: number }

/** A block by its place and its name. */
export interface SlotRoot {
  readonly slot: Slot
  readonly root: Root
}
