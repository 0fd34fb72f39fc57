import { Effect, Option } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import type { SlotRange } from "../../domain/network/Chain.ts"
import { ExternsError } from "../Externs.ts"
import { type KnownSlots, lackingOf, provenRanges } from "../ProvenRange.ts"
import { type BeaconFailure, joined, passing } from "./BeaconFailure.ts"
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
      const now = join(range, known, more.known)
      if (lackingOf(now, range).start > range.end) return blocksOf(now)
      failures.push(Option.getOrElse(more.failure, () => passing(nameOf(range), "what it has is of another chain")))
      known = now
    }
    const all = [...failures, ...(yield* distrusted)]
    return yield* partial(range, known, joined(all, passing(nameOf(range), "there is no beacon node to ask")))
  })

const blocksOf = (known: KnownSlots): ReadonlyArray<Block> =>
  [...known.values()].flatMap((fact) => (fact === "empty" ? [] : [fact])).sort((a, b) => a.slot - b.slot)

const partial = (range: SlotRange, known: KnownSlots, { operation, reason }: BeaconFailure): ExternsError =>
  new ExternsError({ operation, reason, proven: provenRanges(known, range) })

/** What another node adds; nothing if that is of another chain. */
const join = (range: SlotRange, first: KnownSlots, second: KnownSlots): KnownSlots => {
  const whole = new Map([...second, ...first])
  const isOneChain = provenRanges(whole, range).every(({ blocks }) =>
    blocks.every((block, index) => index === 0 || block.parentRoot === blocks[index - 1]?.root)
  )
  return isOneChain ? whole : first
}

const nameOf = ({ end, start }: SlotRange): string => `blocks ${start}..${end}`
