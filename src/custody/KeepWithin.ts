import { Effect, Metric } from "effect"
import { custodyBytes } from "../domain/metrics/Metrics.ts"
import { type ChainParameters, epochOf, epochStart, serveRange } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"
import type { CustodyStore, CustodyStoreError } from "./CustodyStore.ts"

export interface Bounds {
  readonly chain: ChainParameters
  readonly store: CustodyStore["Type"]
  /** Slots that are kept behind the head; never more than the network's own retention. */
  readonly keepSlots: number
  /** Bytes on disk. */
  readonly mostBytes: number
}

/** Holds the store within its bounds. The claim has to be raised first, and only then is anything removed. */
export interface Within {
  /** The first slot that is kept, at this head. */
  readonly lowest: (head: Slot) => Effect.Effect<Slot, CustodyStoreError>
  /** Removes some of what is no longer kept; what has been claimed lately stays for two epochs, where there is room. */
  readonly prune: (lowest: Slot) => Effect.Effect<void, CustodyStoreError>
  readonly bytes: () => number
}

export const keepWithin = ({ chain, keepSlots, mostBytes, store }: Bounds): Within => {
  /** Before it there is no room. */
  let firstWithRoom = 0
  let bytes = 0
  const measure = Effect.gen(function* () {
    bytes = yield* store.bytes
    yield* Metric.set(custodyBytes, bytes)
  })

  /** The slot from which on what is kept would take a tenth less than allowed. */
  const makeRoom = Effect.gen(function* () {
    let surplus = bytes - mostBytes * 0.9
    for (const { bytes, slot } of yield* store.oldest(slotsAtOnce)) {
      if (surplus <= 0) break
      surplus -= bytes
      firstWithRoom = Math.max(firstWithRoom, slot + 1)
    }
  })

  return {
    lowest: (head) =>
      Effect.gen(function* () {
        yield* measure
        if (bytes > mostBytes * 0.95) yield* makeRoom
        const own = epochStart(chain, Math.max(0, epochOf(chain, head - keepSlots)))
        return Math.max(serveRange(chain, head).start, own, firstWithRoom)
      }),
    prune: (lowest) =>
      Effect.gen(function* () {
        const before = bytes > mostBytes ? lowest : lowest - 2 * chain.slotsPerEpoch
        for (let steps = 0; steps < mostSteps; steps++) {
          if (!(yield* store.prune(before))) return
          yield* Effect.yieldNow()
        }
      }),
    bytes: () => bytes
  }
}

const slotsAtOnce = 4_096
/** Of one pass. */
const mostSteps = 32
