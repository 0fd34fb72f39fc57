import { Effect, Option } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import type { SlotRange } from "../../domain/network/Chain.ts"
import { ExternsError } from "../Externs.ts"
import { type KnownSlots, lackingOf, provenRanges } from "../ProvenRange.ts"
import { BeaconFailure } from "./BeaconHttp.ts"
import { canonicalRange } from "./CanonicalRange.ts"
import type { BeaconPool } from "./nodes/BeaconPool.ts"

/** The blocks of a range from the first node; what it does not prove is asked of the next one, and so on. */
export const rangeOfNodes = ({
  distrusted,
  order
}: Pick<BeaconPool, "order" | "distrusted">): ((
  range: SlotRange
) => Effect.Effect<ReadonlyArray<Block>, ExternsError>) =>
  Effect.fnUntraced(function* (range: SlotRange) {
    let known: KnownSlots = new Map()
    const failures: Array<BeaconFailure> = []
    for (const node of yield* order) {
      const more = yield* canonicalRange(node, lackingOf(known, range))
      const joined = join(range, known, more.known)
      if (lackingOf(joined, range).start > range.end) return blocksOf(joined)
      failures.push(Option.getOrElse(more.failure, () => otherChain(range)))
      known = joined
    }
    const [first, ...others] = [...failures, ...(yield* distrusted)]
    return yield* partial(
      range,
      known,
      others.reduce((before, next) => both(before, next), first ?? nobody(range))
    )
  })

/** What two nodes failed with. */
export const both = (first: BeaconFailure, second: BeaconFailure): BeaconFailure =>
  new BeaconFailure({
    operation: first.operation,
    reason: `${first.reason}; and ${second.message}`,
    status: first.status,
    transient: first.transient || second.transient
  })

const blocksOf = (known: KnownSlots): ReadonlyArray<Block> =>
  [...known.values()].flatMap((fact) => (fact === "empty" ? [] : [fact])).sort((a, b) => a.slot - b.slot)

const partial = (range: SlotRange, known: KnownSlots, { operation, reason }: BeaconFailure): ExternsError =>
  new ExternsError({ operation, reason, proven: provenRanges(known, range) })

/** What another node adds; nothing if that is of another chain. */
const join = (range: SlotRange, first: KnownSlots, second: KnownSlots): KnownSlots => {
  const joined = new Map([...second, ...first])
  const isOneChain = provenRanges(joined, range).every(({ blocks }) =>
    blocks.every((block, index) => index === 0 || block.parentRoot === blocks[index - 1]?.root)
  )
  return isOneChain ? joined : first
}

const nobody = ({ end, start }: SlotRange): BeaconFailure =>
  new BeaconFailure({
    operation: `blocks ${start}..${end}`,
    reason: "there is no beacon node to ask",
    status: Option.none(),
    transient: true
  })

const otherChain = ({ end, start }: SlotRange): BeaconFailure =>
  new BeaconFailure({
    operation: `blocks ${start}..${end}`,
    reason: "what it has is of another chain",
    status: Option.none(),
    transient: true
  })
