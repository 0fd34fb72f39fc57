import { Effect, Either, Option } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import type { SlotRange } from "../../domain/network/Chain.ts"
import { ExternsError } from "../Externs.ts"
import { type KnownSlots, lackingOf, provenRanges } from "../ProvenRange.ts"
import { BeaconFailure } from "./BeaconHttp.ts"
import type { BeaconNode } from "./BeaconNode.ts"
import { canonicalRange, type RangeAnswer } from "./CanonicalRange.ts"

/** The blocks of a range from the first node; what it does not prove is asked of the second one, if there is one. */
export const rangeOfNodes = (
  primary: BeaconNode,
  fallback: Option.Option<Effect.Effect<BeaconNode, BeaconFailure>>
): ((range: SlotRange) => Effect.Effect<ReadonlyArray<Block>, ExternsError>) =>
  Effect.fnUntraced(function* (range: SlotRange) {
    const first = yield* canonicalRange(primary, range)
    if (Option.isNone(first.failure)) return blocksOf(first.known)
    if (Option.isNone(fallback)) return yield* partial(range, first.known, first.failure.value)
    const second = yield* Effect.either(fallback.value)
    const more: RangeAnswer = Either.isRight(second)
      ? yield* canonicalRange(second.right, lackingOf(first.known, range))
      : { known: new Map(), failure: Option.some(second.left) }
    const joined = join(range, first.known, more.known)
    if (lackingOf(joined, range).start > range.end) return blocksOf(joined)
    const error = both(
      first.failure.value,
      Option.getOrElse(more.failure, () => otherChain(range))
    )
    return yield* partial(range, joined, error)
  })

/** What two nodes failed with. */
export const both = (first: BeaconFailure, second: BeaconFailure): BeaconFailure =>
  new BeaconFailure({
    operation: first.operation,
    reason: `${first.reason}; and the fallback, ${second.message}`,
    status: first.status,
    transient: first.transient || second.transient
  })

const blocksOf = (known: KnownSlots): ReadonlyArray<Block> =>
  [...known.values()].flatMap((fact) => (fact === "empty" ? [] : [fact])).sort((a, b) => a.slot - b.slot)

const partial = (range: SlotRange, known: KnownSlots, { operation, reason }: BeaconFailure): ExternsError =>
  new ExternsError({ operation, reason, proven: provenRanges(known, range) })

/** What the second node adds; nothing if that is of another chain. */
const join = (range: SlotRange, first: KnownSlots, second: KnownSlots): KnownSlots => {
  const joined = new Map([...second, ...first])
  const isOneChain = provenRanges(joined, range).every(({ blocks }) =>
    blocks.every((block, index) => index === 0 || block.parentRoot === blocks[index - 1]?.root)
  )
  return isOneChain ? joined : first
}

const otherChain = ({ end, start }: SlotRange): BeaconFailure =>
  new BeaconFailure({
    operation: `blocks ${start}..${end}`,
    reason: "what it has is of another chain",
    status: Option.none(),
    transient: true
  })
