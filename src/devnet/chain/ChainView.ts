import { Clock, Effect, Queue, Ref, type Scope } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { type ChainState, isCanonical } from "./ChainState.ts"
import type { DevBlock } from "./DevBlock.ts"
import type { DevChain } from "./DevChain.ts"

/**
 * The chain as a node sees it whose head is `head`: a block of the past, or an orphan, whose ancestors are canonical then.
 * Blocks of other branches up to its slot are still known by their roots.
 */
export const seenFrom = (state: ChainState, head: DevBlock): ChainState => {
  const branch: Array<DevBlock> = []
  let block: DevBlock | undefined = head
  while (block !== undefined && !isCanonical(state, block)) {
    branch.unshift(block)
    block = state.byRoot.get(toHex(block.header.message.parentRoot))
  }
  const ancestor = block?.slot ?? state.earliestSlot
  const canonical = new Map([...state.canonical].filter(([slot]) => slot <= ancestor))
  for (const orphan of branch) canonical.set(orphan.slot, orphan)
  const byRoot = new Map([...state.byRoot].filter(([, { slot }]) => slot <= head.slot))
  return { ...state, slot: head.slot, head, canonical, byRoot }
}

/** The chain as a node sees it that stays on the old branch for `slots` slots after each reorg. */
export const slowToReorganise = (
  chain: DevChain,
  slots: number
): Effect.Effect<Effect.Effect<ChainState>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const held = yield* Ref.make<{ readonly head: DevBlock; readonly until: number } | undefined>(undefined)
    const events = yield* chain.events
    const hold = Effect.gen(function* () {
      const event = yield* Queue.take(events)
      if (event._tag !== "Reorg") return
      const now = yield* Clock.currentTimeMillis
      yield* Ref.set(held, { head: event.reorg.oldHead, until: now + slots * chain.parameters.slotDurationMs })
    })
    yield* Effect.forkScoped(Effect.forever(hold))
    return Effect.gen(function* () {
      const state = yield* chain.state
      const old = yield* Ref.get(held)
      return old !== undefined && (yield* Clock.currentTimeMillis) < old.until ? seenFrom(state, old.head) : state
    })
  })
