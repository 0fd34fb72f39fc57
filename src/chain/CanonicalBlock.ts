import { Effect, Option } from "effect"
import type { Block } from "../domain/network/Block.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { CommitmentCache } from "./CommitmentCache.ts"

/** The canonical block of a slot, if it has this root; none where it is another, or the chain does not tell. */
export const canonicalBlock = (
  commitments: Pick<CommitmentCache["Type"], "range">,
  root: Root,
  slot: Slot
): Effect.Effect<Option.Option<Block>> =>
  Effect.map(Effect.option(commitments.range({ start: slot, end: slot })), (facts) =>
    Option.flatMap(facts, ([fact]) =>
      fact?._tag === "Block" && fact.block.root === root ? Option.some(fact.block) : Option.none()
    )
  )
