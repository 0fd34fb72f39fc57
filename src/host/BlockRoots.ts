import { Context, Effect, type Option } from "effect"
import type { Root, Slot } from "../domain/Primitives.ts"
import { ExternsError } from "./Externs.ts"

/** The slot of the block of a root, on whatever branch; none where there is no such block. A host need not be able to. */
export class BlockRoots extends Context.Reference<BlockRoots>()("dasmon/BlockRoots", {
  defaultValue: (): ((root: Root) => Effect.Effect<Option.Option<Slot>, ExternsError>) => (root) =>
    Effect.fail(
      new ExternsError({
        operation: `the block ${root}`,
        reason: "this host knows blocks by their slots: give the slot"
      })
    )
}) {}
