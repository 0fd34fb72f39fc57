import { Effect } from "effect"
import { hasColumns, type SlotFacts } from "../domain/network/Block.ts"
import type { CanonicalSlot } from "../domain/report/SlotDetail.ts"
import { CommitmentCache } from "./CommitmentCache.ts"

/** What the canonical chain has in a slot. The chain is asked only for what the memory would keep. */
export const canonicalSlot = Effect.fn("canonicalSlot")(function* (
  slot: number
): Effect.fn.Return<CanonicalSlot, never, CommitmentCache> {
  const commitments = yield* CommitmentCache
  const head = yield* commitments.headSlot
  const { wanted } = yield* commitments.progress
  if (slot > head) return { _tag: "Unknown", reason: `the head is at slot ${head}` }
  if (slot <= head - wanted) return { _tag: "Unknown", reason: `older than the history window of ${wanted} slots` }
  return yield* commitments.range({ start: slot, end: slot }).pipe(
    Effect.map(([facts]): CanonicalSlot => (facts === undefined ? unanswered : described(facts))),
    Effect.catchAll(({ message }) => Effect.succeed<CanonicalSlot>({ _tag: "Unknown", reason: message })),
    Effect.timeoutTo({ duration: limit, onSuccess: (canonical) => canonical, onTimeout: () => unanswered })
  )
})

const described = (facts: SlotFacts): CanonicalSlot =>
  facts._tag === "Empty"
    ? { _tag: "Empty" }
    : {
        _tag: "Block",
        root: facts.block.root,
        blobs: facts.block.commitments.length,
        hasColumns: hasColumns(facts.block)
      }

/** For the chain to answer. */
const limit = "5 seconds"
const unanswered: CanonicalSlot = { _tag: "Unknown", reason: "the chain has not answered" }
