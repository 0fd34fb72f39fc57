import { Effect, Layer, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { setNewest } from "../domain/Bounded.ts"
import type { SlotFacts } from "../domain/network/Block.ts"
import { epochStart } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"

/**
 * Keeps what the chain said of single slots, which is what a scan asks for. The chain itself remembers only what is near
 * its head, so that a scan loads no more than it needs; what is final changes no more, and whatever is held
 * against anyone is confirmed anew.
 */
export const layer: Layer.Layer<CommitmentCache, never, CommitmentCache | Externs> = Layer.effect(
  CommitmentCache,
  Effect.map(Effect.all([CommitmentCache, Externs]), ([commitments, { chain }]) => {
    const known = new Map<Slot, ReadonlyArray<SlotFacts>>()
    const isFinal = (slot: Slot) =>
      Effect.map(
        commitments.finalized,
        Option.exists(({ epoch }) => slot < epochStart(chain, epoch))
      )
    return CommitmentCache.of({
      ...commitments,
      range: (range) => {
        if (range.start !== range.end) return commitments.range(range)
        const kept = known.get(range.start)
        if (kept !== undefined) return Effect.succeed(kept)
        return Effect.tap(commitments.range(range), (facts) =>
          Effect.map(isFinal(range.start), (isFinal) => {
            if (isFinal && facts.length === 1) setNewest(known, range.start, facts, mostKept)
          })
        )
      },
      confirm: (slot) =>
        Effect.tap(commitments.confirm(slot), (fact) =>
          Effect.sync(() => {
            if (known.has(slot)) setNewest(known, slot, [fact], mostKept)
          })
        )
    })
  })
)

/** A block's commitments are a kilobyte or so. */
const mostKept = 4096
