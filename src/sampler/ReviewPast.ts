import { Effect, Schedule } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { maxRequestBlocks } from "../domain/network/Chain.ts"
import { rootOf, type SlotFacts, slotOf, type SlotRoot } from "../domain/network/Block.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
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
    const within = held.filter(({ slot }) => slot >= range.start && slot <= range.end)
    const roots = yield* Effect.map(commitments.range(range), rootsOf).pipe(
      Effect.filterOrFail((roots) => within.every(({ slot }) => roots.has(slot))),
      Effect.retry(Schedule.spaced("5 seconds"))
    )
    orphaned.push(...within.filter(({ root, slot }) => roots.get(slot) !== root))
  }
  return orphaned
})

/** By slot; an empty slot has none. */
const rootsOf = (facts: ReadonlyArray<SlotFacts>): ReadonlyMap<Slot, Root | undefined> =>
  new Map(facts.map((fact) => [slotOf(fact), rootOf(fact)]))

/** Four times the slots after which a chain is finalized when all is well. */
const reorgSlots = 256
