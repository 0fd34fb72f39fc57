import { Clock, Effect, Either, PubSub, type Queue, Ref, type Scope } from "effect"
import { epochOf, slotAt, slotStart } from "../../domain/network/Chain.ts"
import {
  type ChainRules,
  type ChainState,
  type Checkpoint,
  finalized,
  genesisState,
  grow,
  type Reorg,
  reorganise
} from "./ChainState.ts"
import type { DevBlock } from "./DevBlock.ts"
import type { DevnetError } from "../DevnetError.ts"

/** What happens to the chain, in the order in which it happens. */
export type DevChainEvent =
  | { readonly _tag: "Block"; readonly block: DevBlock }
  | { readonly _tag: "Head"; readonly block: DevBlock; readonly epochTransition: boolean }
  | { readonly _tag: "Finalized"; readonly checkpoint: Checkpoint; readonly block: DevBlock }
  | { readonly _tag: "Reorg"; readonly reorg: Reorg }

/** The chain that all peers and the Beacon API of one devnet tell of. It grows with the clock. */
export interface DevChain extends ChainRules {
  readonly state: Effect.Effect<ChainState>
  /** The slot that the clock shows. */
  readonly currentSlot: Effect.Effect<number>
  /** Replaces the blocks of the last `depth` slots by others. Fails where that would undo finality. */
  readonly reorg: (depth: number) => Effect.Effect<Reorg, DevnetError>
  /** Everything that happens from the moment that this effect returns; a slow reader loses the oldest. */
  readonly events: Effect.Effect<Queue.Dequeue<DevChainEvent>, never, Scope.Scope>
}

/** Makes the history up to this moment, and goes on with a block at the start of every slot. */
export const makeDevChain = (given: ChainRules): Effect.Effect<DevChain, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { parameters } = given
    const currentSlot = Effect.map(Clock.currentTimeMillis, (now) => slotAt(parameters, now))
    // Of older blocks nobody hears by gossip, and a history of thousands would take minutes.
    const rules = { ...given, signedFrom: given.signedFrom ?? (yield* currentSlot) - 2 }
    const start = grow(rules, genesisState(rules), yield* currentSlot)
    const state = yield* Ref.make(start)
    const variants = yield* Ref.make(1)
    const hub = yield* PubSub.sliding<DevChainEvent>(eventCapacity)

    const growToNow = Effect.gen(function* () {
      const slot = yield* currentSlot
      const [before, after] = yield* Ref.modify(state, (before) => {
        const after = grow(rules, before, slot)
        return [[before, after] as const, after]
      })
      yield* PubSub.publishAll(hub, growthEvents(rules, before, after))
    })

    const untilNextSlot = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.sleep(slotStart(parameters, slotAt(parameters, now) + 1) - now)
    )

    const reorg = Effect.fn("DevChain.reorg")(function* (depth: number) {
      const variant = yield* Ref.getAndUpdate(variants, (last) => last + 1)
      const result = yield* Ref.modify(state, (before): readonly [Either.Either<Reorg, DevnetError>, ChainState] =>
        Either.match(reorganise(rules, before, depth, variant), {
          onLeft: (error) => [Either.left(error), before],
          onRight: ([after, reorg]) => [Either.right(reorg), after]
        })
      )
      const reorg = yield* result
      yield* PubSub.publishAll(hub, [
        ...reorg.blocks.map((block) => ({ _tag: "Block" as const, block })),
        { _tag: "Reorg", reorg },
        { _tag: "Head", block: reorg.newHead, epochTransition: false }
      ])
      return reorg
    })

    yield* untilNextSlot.pipe(Effect.andThen(growToNow), Effect.forever, Effect.forkScoped)
    yield* Effect.addFinalizer(() => PubSub.shutdown(hub))

    return { ...rules, state: Ref.get(state), currentSlot, reorg, events: PubSub.subscribe(hub) }
  })

const eventCapacity = 256

/** The events of the blocks that came; the head moves once for each of them, as it does where blocks are imported. */
const growthEvents = (rules: ChainRules, before: ChainState, after: ChainState): ReadonlyArray<DevChainEvent> => {
  const { parameters } = rules
  const events: Array<DevChainEvent> = []
  let epoch = epochOf(parameters, before.head.slot)
  for (let slot = before.slot + 1; slot <= after.slot; slot++) {
    const block = after.canonical.get(slot)
    if (block === undefined) continue
    events.push({ _tag: "Block", block })
    events.push({ _tag: "Head", block, epochTransition: epochOf(parameters, slot) > epoch })
    epoch = epochOf(parameters, slot)
  }
  const checkpoint = finalized(parameters, after)
  const block = after.byRoot.get(checkpoint.root)
  if (checkpoint.epoch > finalized(parameters, before).epoch && block !== undefined) {
    events.push({ _tag: "Finalized", checkpoint, block })
  }
  return events
}
