import { Clock, Duration, Effect, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { dropOldest } from "../domain/Bounded.ts"
import { type Block, hasColumns } from "../domain/network/Block.ts"
import { slotStart } from "../domain/network/Chain.ts"
import type { Root } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"
import { daemon } from "../runtime/Daemon.ts"

export interface NewBlocksOptions {
  /** Milliseconds after the start of its slot at which a block is too old to be told of. */
  readonly tooOldMs: number
  /** A canonical block with columns, once for each root. */
  readonly tell: (block: Block, learnedAt: number) => Effect.Effect<void>
  /** So many slots, or blocks, became too old before anyone heard of them. */
  readonly passedOver: (count: number) => Effect.Effect<void>
}

/**
 * Tells of every canonical block with columns as soon as it is known: when the head moves, when another block takes the place
 * of one, and when the chain could not be asked before. After an outage only the newest slots are looked at.
 */
export const watchNewBlocks = Effect.fnUntraced(function* ({ passedOver, tell, tooOldMs }: NewBlocksOptions) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const told = new Set<Root>()
  const window = Math.ceil(tooOldMs / chain.slotDurationMs)
  let head = -1
  let replaced = 0
  let lookAgainAt = 0

  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const next = yield* commitments.headSlot
    const { seen } = commitments.replacedSince(replaced)
    if (next < 0 || (next === head && seen === replaced && now < lookAgainAt)) return
    const from = Math.max(0, next - window)
    lookAgainAt = now + chain.slotDurationMs / 2
    const facts = yield* commitments
      .range({ start: from, end: next })
      .pipe(Effect.timeoutOption(Duration.millis(chain.slotDurationMs)), Effect.option)
    if (facts._tag === "None" || facts.value._tag === "None") return
    if (head >= 0 && from > head + 1) yield* passedOver(from - head - 1)
    const isFirst = head < 0
    head = next
    replaced = seen
    const learnedAt = yield* Clock.currentTimeMillis
    for (const fact of facts.value.value) {
      if (fact._tag !== "Block" || !hasColumns(fact.block) || told.has(fact.block.root)) continue
      told.add(fact.block.root)
      dropOldest(told, 4 * (window + 1))
      if (learnedAt - slotStart(chain, fact.block.slot) <= tooOldMs) yield* tell(fact.block, learnedAt)
      // What there was before this program was started is nobody's omission.
      else if (!isFirst) yield* passedOver(1)
    }
  })
  yield* daemon(
    "the watch for new blocks to sample",
    look,
    Schedule.spaced(Duration.millis(chain.slotDurationMs / looksASlot))
  )
})

const looksASlot = 60
