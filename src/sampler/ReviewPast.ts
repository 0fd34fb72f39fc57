import { Effect, Schedule } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { maxRequestBlocks } from "../domain/network/Chain.ts"
import type { SlotRoot } from "../domain/network/Block.ts"
import type { History } from "../history/store/History.ts"

/**
 * Blocks that outcomes were held against before this program started and that are canonical no more: a reorg that
 * happened in between was told to nobody. Looks as far back as reorgs go, and asks again until the chain can be asked.
 */
export const orphanedMeanwhile = Effect.fn("Sampler.orphanedMeanwhile")(function* (
  history: History["Type"],
  commitments: CommitmentCache["Type"]
) {
  yield* Effect.repeat(commitments.headSlot, { until: (slot) => slot > 0, schedule: Schedule.spaced("1 second") })
  const headSlot = yield* commitments.headSlot
  const held = (yield* history.blocks(headSlot - reorgSlots)).filter(({ slot }) => slot <= headSlot)
  const orphaned: Array<SlotRoot> = []
  for (
    let start = Math.max(0, headSlot - reorgSlots);
    start <= headSlot && held.length > 0;
    start += maxRequestBlocks
  ) {
    const range = { start, end: Math.min(headSlot, start + maxRequestBlocks - 1) }
    const facts = yield* Effect.retry(commitments.range(range), Schedule.spaced("5 seconds"))
    const roots = new Map(facts.flatMap((fact) => (fact._tag === "Block" ? [[fact.block.slot, fact.block.root]] : [])))
    orphaned.push(
      ...held.filter(({ root, slot }) => slot >= range.start && slot <= range.end && roots.get(slot) !== root)
    )
  }
  return orphaned
})

/** Four times the slots after which a chain is finalized when all is well. */
const reorgSlots = 256
