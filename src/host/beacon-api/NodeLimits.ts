import { Clock, Duration, Effect, Option, Ref } from "effect"
import {
  type ChainParameters,
  epochStart,
  forkEpoch,
  type ForkName,
  type SlotRange
} from "../../domain/network/Chain.ts"

/**
 * What a node was found not to give, so that it is not asked for it again and again: blocks before its oldest one, and
 * blocks of a fork that it hashes otherwise than this program does. After a while it is asked again.
 */
export interface NodeLimits {
  /** The part of a range that is worth asking for, and why it is not all of it. */
  readonly within: (range: SlotRange) => Effect.Effect<{
    readonly range: SlotRange
    readonly reason: Option.Option<string>
  }>
  /** It has no block before this slot, which is the slot of a block. */
  readonly setOldest: (slot: number) => Effect.Effect<void>
  /** It gives blocks of this fork roots that are not those of this program; `example` is said with it. */
  readonly setForeign: (fork: ForkName, example: string) => Effect.Effect<void>
}

/** Until a limit is tried again. */
const validity = Duration.minutes(5)

interface Limit {
  readonly slot: number
  readonly reason: string
  readonly until: number
}

export const makeNodeLimits = Effect.fnUntraced(function* (name: string, chain: ChainParameters) {
  const oldest = yield* Ref.make(Option.none<Limit>())
  const foreign = yield* Ref.make(Option.none<Limit>())
  const told = yield* Ref.make(false)
  const valid = (limit: Ref.Ref<Option.Option<Limit>>) =>
    Effect.zipWith(Ref.get(limit), Clock.currentTimeMillis, (found, now) =>
      Option.filter(found, ({ until }) => until > now)
    )
  const limitAt = (slot: number, reason: string) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Option.some({ slot, reason, until: now + Duration.toMillis(validity) })
    )

  const limits: NodeLimits = {
    within: ({ end, start }) =>
      Effect.zipWith(valid(oldest), valid(foreign), (from, to) => {
        const first = Option.match(from, { onNone: () => start, onSome: ({ slot }) => Math.max(start, slot) })
        const last = Option.match(to, { onNone: () => end, onSome: ({ slot }) => Math.min(end, slot - 1) })
        return {
          range: { start: first, end: last },
          reason: Option.map(
            Option.firstSomeOf([Option.filter(to, () => last < end), Option.filter(from, () => first > start)]),
            ({ reason }) => reason
          )
        }
      }),
    setOldest: (slot) => Effect.flatMap(limitAt(slot, oldestReason(slot)), (limit) => Ref.set(oldest, limit)),
    setForeign: Effect.fnUntraced(function* (fork, example) {
      const reason = foreignReason(fork)
      yield* Ref.set(foreign, yield* limitAt(epochStart(chain, forkEpoch(chain, fork)), reason))
      if (!(yield* Ref.getAndSet(told, true))) yield* Effect.logWarning(`${name}: ${reason} (${example})`)
    })
  }
  return limits
})

/** Said of slots before the node's oldest block. */
export const oldestReason = (slot: number): string =>
  `it does not have the parent of slot ${slot}, its oldest block: not filled back that far, or pruned; it is asked again in ${Duration.format(validity)}`

/** Said of slots whose blocks have another root at the node. */
export const foreignReason = (fork: ForkName): string =>
  `it hashes ${fork} blocks otherwise than this program, so nothing of that fork is judged: upgrade dasmon or the node, ` +
  "or set trust_beacon_roots: true to take the node's roots"
