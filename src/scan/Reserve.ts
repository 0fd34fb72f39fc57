import { Option } from "effect"
import { custodyColumns } from "../domain/column/Custody.ts"
import { type ChainParameters, custodyRequirement } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"
import type { Outcome } from "../domain/probe/Job.ts"

/**
 * What nobody is accused of in a run as short as a scan, though two conversations came to the same. The monitor waits ten
 * minutes between the two, and by that time both have passed:
 *
 * - Clients move what becomes final from one database to another, and have it in neither for minutes: only what has been
 *   final for some epochs counts (`settledUpTo`).
 * - A node whose custody has just grown claims columns of which it has none of before, until its earliest available slot
 *   follows. Those of the first groups every node keeps from its start; of another one something as old, or older, must
 *   have come.
 */
export const reserveFor = (options: {
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly settledUpTo: Slot
  /** Everything that came of the peer so far. */
  readonly outcomes: () => Iterable<Outcome>
}): ((slot: Slot, column: number) => Option.Option<string>) => {
  const first = new Set(custodyColumns(options.nodeId, custodyRequirement))
  return (slot, column) => {
    if (slot > options.settledUpTo) {
      return Option.some("it has not been final for long enough to settle it in a run as short as this")
    }
    if (first.has(column)) return Option.none()
    for (const outcome of options.outcomes()) {
      if (outcome.column === column && outcome.outcome === "success" && outcome.slot <= slot) return Option.none()
    }
    return Option.some(
      "nothing as old of this column came: where custody has just grown that is so for a while, and this run is too short to tell"
    )
  }
}

/** The last slot that has been final for long enough: two epochs are twelve minutes and more on the public networks. */
export const settledUpTo = (chain: ChainParameters, finalUpTo: Slot): Slot =>
  finalUpTo < 0 ? -1 : finalUpTo - settledEpochs * chain.slotsPerEpoch

const settledEpochs = 2
